/* What lies in the journal's directory: numbers of segments and indexes, leftovers cleared away. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_DIRECTORY_H
#define JOURNAL_DIRECTORY_H

#include "base/fs.h"

/* A segment while it is being written for the first time. */
#define DIRECTORY_TEMPORARY "prepare.tmp"

struct directory_numbers {
    uint64_t *numbers; /* ascending */
    uint32_t count;
    uint32_t size;
};

struct directory {
    struct directory_numbers segments;
    struct directory_numbers indexes;
    struct directory_numbers asides;
    bool has_temporary; /* an interrupted preparation */
    enum err err;       /* while listing */
};

enum err directory_read(struct fs *fs, struct directory *ret_directory) MUST_CHECK;
void directory_done(struct directory *directory);
bool directory_has(const struct directory_numbers *numbers, uint64_t number);

#endif
