/* Is this number stored? Answered from summaries in memory, or from the index of the one segment that may hold it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/lookup.h"

#include <stdlib.h>

#include "journal/seal.h"

/* The runs of this sequence in a segment that is not written yet, or whose index is still in memory. */
static const struct run_set *runs_in_memory(const struct segment *segment, uint32_t sequence)
{
    return segment->index == NULL ? NULL : segment_index_runs(segment->index, sequence);
}

const struct segment_summary *lookup_summary(const struct segment *segment, uint32_t sequence)
{
    for (uint32_t i = 0; i < segment->summary_count; i++)
        if (segment->summaries[i].sequence == sequence)
            return &segment->summaries[i];
    return NULL;
}

enum err lookup_has_in_segment(struct segment *segment, uint32_t sequence, uint64_t number, bool *ret_has)
{
    *ret_has = false;
    if (segment->index != NULL) {
        const struct run_set *runs = runs_in_memory(segment, sequence);
        *ret_has = runs != NULL && run_set_has(runs, number);
        return ERR_NONE;
    }
    const struct segment_summary *summary = lookup_summary(segment, sequence);
    if (summary == NULL || number < summary->lowest || number > summary->highest)
        return ERR_NONE;
    if (summary->runs == 1) {
        *ret_has = true;
        return ERR_NONE;
    }
    if (segment->index_file == NULL)
        return ERR_AGAIN;
    struct index_sequence entry;
    enum err err = index_file_sequence(segment->index_file, sequence, &entry);
    if (err == ERR_NOT_FOUND) /* the index was made again, and the frames that say so are bad */
        return ERR_NONE;
    if (err == ERR_NONE)
        err = index_file_has(segment->index_file, &entry, number, ret_has);
    return segment_index_outcome(segment, err);
}

enum err lookup_open_index(struct journal *journal, struct segment *segment)
{
    segment->references++;
    journal_unlock(&journal->view);
    enum err err = seal_open_index(journal, segment);
    journal_lock(&journal->view);
    segment->references--;
    bool is_lost = segment->state == SEGMENT_INDEX_ONLY && (err == ERR_DAMAGED || err == ERR_NOT_FOUND);
    if (!is_lost)
        return err;
    /* It cannot be made again without its records: its numbers are unknown from now on, the others are answered. */
    if (segment->summary_count > 0)
        journal_tell(journal, JOURNAL_EVENT_DAMAGE, "segment=%llu what=index numbers=lost",
                     (unsigned long long)segment->number);
    segment->summary_count = 0;
    segment->index_is_lost = true;
    return ERR_NONE;
}

enum err lookup_has(struct store *store, uint32_t sequence, uint64_t number, bool *ret_has)
{
    struct journal *journal = journal_of(store);
    enum err err = ERR_NONE;
    bool has = false;
    journal_lock(&journal->view);
    bool is_possible = sequence < journal->catalog.sequence_count && number > 0 &&
                       number <= journal->catalog.sequences[sequence].highest;
    for (uint32_t i = is_possible ? journal->table.count : 0; !has && err == ERR_NONE && i > 0; i--) {
        struct segment *segment = journal->table.segments[i - 1];
        err = lookup_has_in_segment(segment, sequence, number, &has);
        if (err != ERR_AGAIN)
            continue;
        err = lookup_open_index(journal, segment);
        i = journal->table.count + 1; /* from the newest again */
    }
    journal_unlock(&journal->view);
    *ret_has = has;
    return err;
}

/* --- Ranges ------------------------------------------------------------------------------------------ */

struct runs {
    struct store_run *runs;
    uint32_t count;
    uint64_t covered;
};

static enum err collect_from_file(struct segment *segment, uint32_t sequence, struct run_merge *merge)
{
    const struct segment_summary *summary = lookup_summary(segment, sequence);
    if (summary == NULL || merge->to < summary->lowest || merge->from > summary->highest)
        return ERR_NONE;
    if (summary->runs == 1) {
        (void)run_merge_add(merge, summary->lowest, summary->highest - summary->lowest + 1);
        return ERR_NONE;
    }
    if (segment->index_file == NULL)
        return ERR_AGAIN;
    struct index_sequence entry;
    enum err err = index_file_sequence(segment->index_file, sequence, &entry);
    if (err == ERR_NOT_FOUND)
        return ERR_NONE;
    if (err == ERR_NONE)
        err = index_file_collect(segment->index_file, &entry, merge);
    return segment_index_outcome(segment, err);
}

/* What one segment holds within [from, to]. AGAIN as above. */
static enum err collect_segment(struct segment *segment, uint32_t sequence, struct run_merge *merge)
{
    if (segment->index == NULL)
        return collect_from_file(segment, sequence, merge);
    const struct run_set *set = runs_in_memory(segment, sequence);
    if (set != NULL)
        run_set_collect(set, merge);
    return ERR_NONE;
}

/* The union of two, into `target`. */
static void
unite(const struct runs *a, const struct runs *b, uint64_t from, uint32_t size, struct runs *target)
{
    struct run_merge merge;
    uint64_t to = a->covered < b->covered ? a->covered : b->covered;
    run_merge_init(&merge, from, to, target->runs, size);
    uint32_t i = 0;
    uint32_t j = 0;
    bool goes_on = true;
    while (goes_on && (i < a->count || j < b->count)) {
        bool takes_a = j == b->count || (i < a->count && a->runs[i].from <= b->runs[j].from);
        const struct store_run *run = takes_a ? &a->runs[i++] : &b->runs[j++];
        goes_on = run_merge_add(&merge, run->from, run->count);
    }
    target->count = merge.count;
    target->covered = merge.covered;
}

static enum err
collect_all(struct journal *journal, uint32_t sequence, const struct store_runs *question, struct runs *parts)
{
    const uint64_t from = question->from;
    const uint64_t to = question->to;
    const uint32_t size = question->size;
    struct runs *sum = &parts[0];
    struct runs *one = &parts[1];
    struct runs *next = &parts[2];
    *sum = (struct runs){.runs = sum->runs, .covered = to};
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < journal->table.count; i++) {
        struct run_merge merge;
        run_merge_init(&merge, from, to, one->runs, size);
        err = collect_segment(journal->table.segments[i], sequence, &merge);
        one->count = merge.count;
        one->covered = merge.covered;
        if (err == ERR_AGAIN) {
            err = lookup_open_index(journal, journal->table.segments[i]);
            *sum = (struct runs){.runs = sum->runs, .covered = to};
            i = UINT32_MAX; /* from the start: the table may have changed */
            continue;
        }
        if (err != ERR_NONE || (one->count == 0 && one->covered == to))
            continue;
        unite(sum, one, from, size, next);
        struct runs *swapped = sum;
        sum = next;
        next = swapped;
    }
    if (sum != &parts[0]) {
        memcpy(parts[0].runs, sum->runs, sum->count * sizeof(struct store_run));
        parts[0].count = sum->count;
        parts[0].covered = sum->covered;
    }
    return err;
}

enum err lookup_runs(struct store *store, uint32_t sequence, struct store_runs *question)
{
    struct journal *journal = journal_of(store);
    uint32_t size = question->size;
    check(size > 0 && question->from <= question->to);
    struct store_run *scratch = calloc((size_t)size * 2, sizeof *scratch);
    if (scratch == NULL)
        return ERR_MEMORY;
    struct runs parts[3] = {{.runs = question->runs}, {.runs = scratch}, {.runs = scratch + size}};
    journal_lock(&journal->view);
    enum err err = collect_all(journal, sequence, question, parts);
    journal_unlock(&journal->view);
    free(scratch);
    question->ret_count = parts[0].count;
    question->ret_covered = parts[0].covered;
    return err;
}
