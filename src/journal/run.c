/* The merge of runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/run.h"

void run_merge_init(
    struct run_merge *merge, uint64_t from, uint64_t to, struct store_run *runs, uint32_t size)
{
    check(size > 0);
    *merge = (struct run_merge){.from = from, .to = to, .runs = runs, .size = size, .covered = to};
}

bool run_merge_add(struct run_merge *merge, uint64_t from, uint64_t count)
{
    check(run_is_legal(from, count));
    if (from > merge->to)
        return false;
    uint64_t last = from + count - 1 < merge->to ? from + count - 1 : merge->to;
    if (last < merge->from)
        return true;
    uint64_t first = from > merge->from ? from : merge->from;
    struct store_run *next = &merge->runs[merge->count];
    if (merge->count > 0 && first <= next[-1].from + next[-1].count) {
        if (last >= next[-1].from + next[-1].count)
            next[-1].count = last - next[-1].from + 1;
        return true;
    }
    if (merge->count == merge->size) {
        merge->covered = first - 1;
        return false;
    }
    *next = (struct store_run){.from = first, .count = last - first + 1};
    merge->count++;
    return true;
}
