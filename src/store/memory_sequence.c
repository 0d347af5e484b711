/* What the store in memory knows of the numbers of one sequence. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory_sequence.h"

#include <stdlib.h>

void memory_sequence_done(struct memory_sequence *sequence)
{
    free(sequence->runs);
    free(sequence->producers);
    *sequence = (struct memory_sequence){.run_count = 0};
}

/* The last number of a run. */
static uint64_t run_to(struct store_run run)
{
    return run.from + run.count - 1;
}

/* The first run that ends at `number` or later, or run_count. */
static uint32_t first_run_reaching(const struct memory_sequence *sequence, uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = sequence->run_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (run_to(sequence->runs[middle]) < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
replace_runs(struct memory_sequence *sequence, uint32_t first, uint32_t last, struct store_run run)
{
    if (sequence->run_count == sequence->run_size) {
        sequence->run_size = sequence->run_size == 0 ? 16 : sequence->run_size * 2;
        sequence->runs = realloc(sequence->runs, sequence->run_size * sizeof(run));
        check(sequence->runs != NULL);
    }
    memmove(&sequence->runs[first + 1], &sequence->runs[last], (sequence->run_count - last) * sizeof(run));
    sequence->runs[first] = run;
    sequence->run_count = sequence->run_count - (last - first) + 1;
}

void memory_sequence_add_run(struct memory_sequence *sequence, struct store_run run)
{
    check(run.from > 0 && run.count > 0);
    uint64_t from = run.from;
    uint64_t to = run_to(run);
    uint32_t first = first_run_reaching(sequence, from - 1); /* one that only touches is melted too */
    uint32_t last = first;
    for (; last < sequence->run_count && sequence->runs[last].from <= to + 1; last++) {
        from = sequence->runs[last].from < from ? sequence->runs[last].from : from;
        to = run_to(sequence->runs[last]) > to ? run_to(sequence->runs[last]) : to;
    }
    replace_runs(sequence, first, last, (struct store_run){from, to - from + 1});
}

uint64_t memory_sequence_last(const struct memory_sequence *sequence)
{
    return sequence->run_count == 0 ? 0 : run_to(sequence->runs[sequence->run_count - 1]);
}

bool memory_sequence_has(const struct memory_sequence *sequence, uint64_t number)
{
    uint32_t at = first_run_reaching(sequence, number);
    return at < sequence->run_count && sequence->runs[at].from <= number;
}

void memory_sequence_runs(const struct memory_sequence *sequence, struct store_runs *question)
{
    uint32_t count = 0;
    uint32_t at = first_run_reaching(sequence, question->from);
    for (; at < sequence->run_count && sequence->runs[at].from <= question->to && count < question->size;
         at++) {
        struct store_run run = sequence->runs[at];
        uint64_t first = run.from > question->from ? run.from : question->from;
        uint64_t last = run_to(run) < question->to ? run_to(run) : question->to;
        question->runs[count++] = (struct store_run){first, last - first + 1};
    }
    bool is_whole = at == sequence->run_count || sequence->runs[at].from > question->to;
    question->ret_count = count;
    question->ret_covered = is_whole || count == 0 ? question->to : run_to(question->runs[count - 1]);
}

static struct memory_producer *find_producer(const struct memory_sequence *sequence, struct span id)
{
    for (uint32_t i = 0; i < sequence->producer_count; i++)
        if (span_equal(span_of(sequence->producers[i].id, sequence->producers[i].id_len), id))
            return &sequence->producers[i];
    return NULL;
}

static struct memory_producer *add_producer(struct memory_sequence *sequence, struct span id)
{
    check(id.len <= STORE_PRODUCER_MAX);
    if (sequence->producer_count == sequence->producer_size) {
        sequence->producer_size = sequence->producer_size == 0 ? 16 : sequence->producer_size * 2;
        sequence->producers =
            realloc(sequence->producers, sequence->producer_size * sizeof(*sequence->producers));
        check(sequence->producers != NULL);
    }
    struct memory_producer *producer = &sequence->producers[sequence->producer_count++];
    *producer = (struct memory_producer){.id_len = id.len};
    memcpy(producer->id, id.data, id.len);
    return producer;
}

void memory_sequence_note_producer(struct memory_sequence *sequence, struct span id, uint64_t last)
{
    if (id.len == 0 || last == 0)
        return;
    struct memory_producer *producer = find_producer(sequence, id);
    if (producer == NULL)
        producer = add_producer(sequence, id);
    if (last > producer->last)
        producer->last = last;
}

uint64_t memory_sequence_producer_last(const struct memory_sequence *sequence, struct span id)
{
    const struct memory_producer *producer = find_producer(sequence, id);
    return producer == NULL ? 0 : producer->last;
}
