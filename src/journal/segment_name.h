/* The names of the files that belong to a segment: its number in sixteen digits, and what kind of file it is. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SEGMENT_NAME_H
#define JOURNAL_SEGMENT_NAME_H

#include <stdint.h>

enum { SEGMENT_NAME_SIZE = 40 };

/* "0000000000000007.segment"; the suffix stands behind the digits as it is given. */
void segment_name(char name[SEGMENT_NAME_SIZE], uint64_t number, const char *suffix);
/* The number in such a name with this suffix; 0 when it is none. */
uint64_t segment_number_of(const char *name, const char *suffix);

#endif
