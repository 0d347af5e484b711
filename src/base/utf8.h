/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/span.h"

/* The length, 1 to 4, of the well-formed character that the bytes begin with; 0 when there is none. */
size_t utf8_character_len(struct span bytes);

bool utf8_is_valid(struct span bytes);

/* Writes the character of a code point that is none of the surrogates; its length. */
size_t utf8_put(uint8_t to[static 4], uint32_t code_point);

#endif
