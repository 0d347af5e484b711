/* Answers to one request of the acks port. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/acks_answer.h"

#include "door/answer_text.h"

enum { RUNS_PER_LOOK = 256 };

static void answer_number(struct buffer *answers, const char *word, uint64_t number)
{
    answer_put_text(answers, word);
    answer_put_number(answers, number);
    answer_put_text(answers, "\n");
}

void acks_answer_one(struct buffer *answers, uint64_t number, bool is_stored)
{
    answer_number(answers, is_stored ? "ACK " : "PENDING ", number);
}

static void answer_one(struct buffer *answers, struct store *store, uint32_t sequence, uint64_t number)
{
    bool is_stored = false;
    if (store->ops->sequence_has(store, sequence, number, &is_stored) != ERR_NONE)
        answer_put_error(answers, LINE_ERROR_UNAVAILABLE);
    else
        acks_answer_one(answers, number, is_stored);
}

/* --- Ranges ------------------------------------------------------------------------------------- */

/* The list of gaps as it grows. */
struct gaps {
    struct buffer *answers;
    struct answer_list list;
};

static void add_gap(struct gaps *gaps, uint64_t from, uint64_t to)
{
    answer_list_add(&gaps->list, gaps->answers, from, to);
}

/* Looks at stored runs from *next on; *next moves behind what was looked at. */
static enum err look(struct gaps *gaps, struct store *store, uint32_t sequence, uint64_t *next, uint64_t to)
{
    struct store_run runs[RUNS_PER_LOOK];
    struct store_runs answer = {.from = *next, .to = to, .runs = runs, .size = RUNS_PER_LOOK};
    enum err err = store->ops->sequence_runs(store, sequence, &answer);
    if (err != ERR_NONE)
        return err;
    check(answer.ret_covered >= *next && answer.ret_covered <= to);
    for (uint32_t i = 0; i < answer.ret_count; i++) {
        if (runs[i].from > *next)
            add_gap(gaps, *next, runs[i].from - 1);
        *next = runs[i].from + runs[i].count;
    }
    if (answer.ret_covered >= *next)
        add_gap(gaps, *next, answer.ret_covered);
    *next = answer.ret_covered + 1;
    return ERR_NONE;
}

static void put_whole_range(struct buffer *answers, uint64_t from, uint64_t to)
{
    answer_put_text(answers, "ACK ");
    answer_put_number(answers, from);
    answer_put_text(answers, "-");
    answer_put_number(answers, to);
}

static void
answer_range(struct buffer *answers, struct store *store, uint32_t sequence, uint64_t from, uint64_t to)
{
    struct gaps gaps = {.answers = answers, .list = {.word = "MISSING "}};
    size_t start = answers->len;
    enum err err = ERR_NONE;
    for (uint64_t next = from; next <= to && err == ERR_NONE && !gaps.list.is_full;)
        err = look(&gaps, store, sequence, &next, to);
    if (err != ERR_NONE) {
        answers->len = start;
        answer_put_error(answers, LINE_ERROR_UNAVAILABLE);
        return;
    }
    if (gaps.list.count == 0)
        put_whole_range(answers, from, to);
    answer_put_text(answers, gaps.list.is_full ? " more\n" : "\n");
}

void acks_answer(struct buffer *answers,
                 struct store *store,
                 uint32_t sequence,
                 const struct line_command *command)
{
    switch (command->kind) {
    case LINE_COMMAND_HIGHEST:
        answer_number(answers, "ACK ", store->ops->sequence_last(store, sequence));
        break;
    case LINE_COMMAND_ONE: answer_one(answers, store, sequence, command->from); break;
    case LINE_COMMAND_RANGE: answer_range(answers, store, sequence, command->from, command->to); break;
    }
}
