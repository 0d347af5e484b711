/* The acks port. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/acks_door.h"

#include <stdlib.h>

#include "door/acks_answer.h"
#include "door/answer_text.h"
#include "door/key_lookup.h"

/* --- A number with a key ------------------------------------------------------------------------ */

/* What a connection needs that has asked for a key. */
struct key_work {
    struct question *question;
    struct key_lookup *lookup;
    uint64_t number;
    enum err err;
    bool is_stored;
};

static void on_looked_up(void *owner, enum err err, const struct key_lookup_found *found)
{
    struct key_work *work = owner;
    work->err = err;
    work->is_stored = found->count > 0;
    work->question->on_ready(work->question);
}

static enum err make_work(struct acks_door *self, struct question *question)
{
    if (question->work != NULL)
        return ERR_NONE;
    struct key_work *work = calloc(1, sizeof *work);
    if (work == NULL)
        return ERR_MEMORY;
    work->question = question;
    enum err err = key_lookup_new(self->store, question->loop, on_looked_up, work, &work->lookup);
    if (err == ERR_NONE)
        question->work = work;
    else
        free(work);
    return err;
}

/* The words behind GET_ACK and its number. */
static struct span key_of(struct span line)
{
    (void)span_take_word(&line);
    (void)span_take_word(&line);
    return span_take_word(&line);
}

static enum line_error look_up(struct acks_door *self,
                               struct question *question,
                               const struct line_command *command,
                               struct span key)
{
    if (command->kind != LINE_COMMAND_ONE)
        return LINE_ERROR_BAD_REQUEST;
    if (make_work(self, question) != ERR_NONE)
        return LINE_ERROR_UNAVAILABLE;
    struct key_work *work = question->work;
    work->number = command->from;
    struct key_lookup_question asked = {
        .sequence = self->options.sequence, .number = command->from, .key = key};
    key_lookup_ask(work->lookup, &asked);
    return LINE_ERROR_NONE;
}

static enum question_state
go_on(struct question_answerer *answerer, struct question *question, struct buffer *answers)
{
    const struct key_work *work = question->work;
    (void)answerer;
    if (work->err == ERR_NONE)
        acks_answer_one(answers, work->number, work->is_stored);
    else
        answer_put_error(answers, LINE_ERROR_UNAVAILABLE);
    return QUESTION_DONE;
}

static void forget(struct question_answerer *answerer, struct question *question)
{
    struct key_work *work = question->work;
    (void)answerer;
    if (work == NULL)
        return;
    work->lookup = key_lookup_close(work->lookup);
    free(work);
    question->work = NULL;
}

/* --- Questions ---------------------------------------------------------------------------------- */

static enum question_state answer(struct question_answerer *answerer,
                                  struct question *question,
                                  struct span line,
                                  struct buffer *answers)
{
    struct acks_door *self = LIST_OWNER(answerer, struct acks_door, answerer);
    struct line_command command;
    enum line_error error = LINE_ERROR_TOO_LONG;
    if (line.len <= QUESTION_LINE_MAX)
        error = line_command_parse(line, &command);
    struct span key = self->options.has_keys && error == LINE_ERROR_NONE ? key_of(line) : span_of("", 0);
    if (key.len > 0) {
        error = look_up(self, question, &command, key);
        if (error == LINE_ERROR_NONE)
            return QUESTION_LATER;
    } else if (error == LINE_ERROR_NONE) {
        acks_answer(answers, self->store, self->options.sequence, &command);
    }
    if (error != LINE_ERROR_NONE && !self->options.is_kmq)
        answer_put_error(answers, error);
    return QUESTION_DONE;
}

void acks_door_init(struct acks_door *acks,
                    struct loop *loop,
                    const char *name,
                    struct store *store,
                    struct acks_options options)
{
    static const struct question_answerer_ops ops = {.answer = answer, .go_on = go_on, .forget = forget};
    *acks = (struct acks_door){.answerer = {.ops = &ops}, .store = store, .options = options};
    question_door_init(&acks->questions, loop, name, &acks->answerer, options.is_kmq);
}

void acks_door_done(struct acks_door *acks)
{
    question_door_done(&acks->questions);
}
