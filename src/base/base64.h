/* Base64 with padding, RFC 4648. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/span.h"

static inline size_t base64_size(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Writes base64_size(bytes.len) characters; returns the place behind them. */
uint8_t *base64_put(uint8_t *to, struct span bytes);

#endif
