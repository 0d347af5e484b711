/* The answer about a range of numbers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/status_range.h"

/*
 * A piece of the range -> the stored runs in it: what lies between is pending -> each stored number is asked for
 *     -> runs of pending numbers grow, and are put as soon as they end.
 *
 * What was put is on its way to the peer. So an error behind it ends the list as its maximum would: ` more`.
 */
enum { NUMBERS_PER_STEP = 1024, RUNS_PER_STEP = 256 };

void status_range_begin(
    struct status_range *range, uint32_t sequence, uint64_t from, uint64_t to, bool is_terse)
{
    *range = (struct status_range){
        .sequence = sequence, .is_terse = is_terse, .next = from, .to = to, .list = {.word = "PENDING "}};
}

static void put_pending(struct status_range *range, struct buffer *answers)
{
    if (range->pending_from > 0 && !range->is_terse)
        answer_list_add(&range->list, answers, range->pending_from, range->pending_to);
    range->list.is_full = range->list.is_full || (range->pending_from > 0 && range->is_terse);
    range->pending_from = 0;
}

static void add_pending(struct status_range *range, struct buffer *answers, uint64_t from, uint64_t to)
{
    if (range->pending_from > 0 && range->pending_to + 1 == from) {
        range->pending_to = to;
        return;
    }
    put_pending(range, answers);
    range->pending_from = from;
    range->pending_to = to;
}

static enum err ask_each(struct status_range *range,
                         struct receipts *receipts,
                         struct buffer *answers,
                         const struct store_run *run)
{
    enum err err = ERR_NONE;
    for (uint64_t i = 0; i < run->count && err == ERR_NONE && !range->list.is_full; i++) {
        bool is_processed = false;
        err = receipts_is_processed(receipts, range->sequence, run->from + i, &is_processed);
        if (err == ERR_NONE && !is_processed)
            add_pending(range, answers, run->from + i, run->from + i);
    }
    return err;
}

static enum err
look(struct status_range *range, struct store *store, struct receipts *receipts, struct buffer *answers)
{
    struct store_run runs[RUNS_PER_STEP];
    uint64_t left = range->to - range->next;
    uint64_t to = range->next + (left < NUMBERS_PER_STEP ? left : NUMBERS_PER_STEP - 1);
    struct store_runs asked = {.from = range->next, .to = to, .runs = runs, .size = RUNS_PER_STEP};
    enum err err = store->ops->sequence_runs(store, range->sequence, &asked);
    if (err != ERR_NONE)
        return err;
    check(asked.ret_covered >= range->next && asked.ret_covered <= to);
    for (uint32_t i = 0; i < asked.ret_count && err == ERR_NONE; i++) {
        if (runs[i].from > range->next)
            add_pending(range, answers, range->next, runs[i].from - 1);
        err = ask_each(range, receipts, answers, &runs[i]);
        range->next = runs[i].from + runs[i].count;
    }
    if (err == ERR_NONE && asked.ret_covered >= range->next)
        add_pending(range, answers, range->next, asked.ret_covered);
    range->next = asked.ret_covered + 1;
    return err;
}

static bool finish(struct status_range *range, struct buffer *answers, enum err err)
{
    bool is_empty = range->list.count == 0;
    if (range->is_terse)
        answer_put_text(answers, range->list.is_full || err != ERR_NONE ? "PENDING\n" : "PROCESSED\n");
    else if (is_empty && err != ERR_NONE)
        answer_put_error(answers, LINE_ERROR_UNAVAILABLE);
    else if (is_empty)
        answer_put_text(answers, "PROCESSED\n");
    else
        answer_put_text(answers, range->list.is_full || err != ERR_NONE ? " more\n" : "\n");
    return true;
}

bool status_range_go_on(struct status_range *range,
                        struct store *store,
                        struct receipts *receipts,
                        struct buffer *answers)
{
    enum err err = look(range, store, receipts, answers);
    if (range->next > range->to || err != ERR_NONE)
        put_pending(range, answers);
    if (range->next > range->to || err != ERR_NONE || range->list.is_full)
        return finish(range, answers, err);
    return false;
}
