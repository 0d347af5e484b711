/* Runs of open records in the order of their numbers. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_SEQ_INDEX_H
#define GROUP_SEQ_INDEX_H

#include <stdint.h>

#include "base/err.h"

struct group_run;
struct seq_page;

/* Sorted pages, a full one splits: a search among pages, a search and a move within one. */
struct seq_index {
    struct seq_page **pages; /* none is empty */
    uint32_t count;
    uint32_t size;
};

/* Runs are in order of their seq, equal ones in order of their addresses. */
struct seq_key {
    uint64_t seq;
    uintptr_t run;
};

void seq_index_init(struct seq_index *index);
void seq_index_done(struct seq_index *index);

/* MEMORY. */
enum err seq_index_add(struct seq_index *index, struct group_run *run) MUST_CHECK;
/* It is there. */
void seq_index_remove(struct seq_index *index, struct group_run *run);

/* The first run behind *key, which moves to it; NULL at the end. Start with {seq, 0}; it may be removed meanwhile. */
struct group_run *seq_index_next(const struct seq_index *index, struct seq_key *key);

#endif
