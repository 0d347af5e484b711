/* The status port. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/status_door.h"

#include <stdlib.h>

#include "door/key_lookup.h"
#include "door/status_answer.h"
#include "door/status_range.h"
#include "wire/line_question.h"

enum {
    RECEIPTS_MAX = 64,      /* lines of one answer */
    RECEIPTS_PER_STEP = 32, /* that are looked at in one turn */
    WORD_SIZE_MAX = STORE_TOPIC_NAME_MAX + 32,
};

enum status_task { STATUS_RANGE, STATUS_LOOKUP, STATUS_RECEIPTS };

/* What a connection needs whose last question takes more than a call. */
struct status_work {
    struct question *question;
    enum status_task task;
    struct status_range range;
    struct key_lookup *lookup; /* NULL before the first */
    enum err err;              /* of the lookup */
    bool wants_receipts;
    uint8_t word[WORD_SIZE_MAX];
    size_t word_len;
    struct store_place places[RECEIPTS_MAX]; /* whose receipts are asked for */
    uint32_t place_count;
    uint32_t place_next;
    bool is_omitted; /* there are more of them */
};

static struct status_door *door_of(struct question_answerer *answerer)
{
    return LIST_OWNER(answerer, struct status_door, answerer);
}

static struct status_work *work_of(struct question *question)
{
    if (question->work == NULL) {
        struct status_work *work = calloc(1, sizeof *work);
        if (work != NULL)
            work->question = question;
        question->work = work;
    }
    return question->work;
}

/* KMQ's client knows two answers, and what is not known to be processed is pending. */
static enum question_state refuse(struct status_door *self, struct buffer *answers, enum line_error error)
{
    if (!self->options.is_kmq)
        answer_put_error(answers, error);
    else if (error == LINE_ERROR_UNAVAILABLE)
        status_answer(answers, false);
    return QUESTION_DONE;
}

/* --- Receipts of several places ----------------------------------------------------------------- */

static enum question_state
put_receipts(struct status_door *self, struct status_work *work, struct buffer *answers)
{
    struct span word = span_of(work->word, work->word_len);
    size_t start = answers->len;
    unsigned looked_at = 0;
    for (; work->place_next < work->place_count; work->place_next++) {
        struct status_receipt_rest rest = {.more = work->place_count - work->place_next - 1};
        struct receipt receipt;
        if (looked_at++ == RECEIPTS_PER_STEP ||
            answers->len - start + STATUS_RECEIPT_SIZE_MAX > QUESTION_STEP_SIZE_MAX)
            return QUESTION_MORE;
        rest.is_omitted = rest.more == 0 && work->is_omitted;
        receipts_look_at_place(self->receipts, &work->places[work->place_next], &receipt);
        status_answer_receipt(answers, self->receipts, word, &receipt, rest);
    }
    return QUESTION_DONE;
}

static void take_word(struct status_work *work, struct span word)
{
    work->word_len = word.len < sizeof work->word ? word.len : sizeof work->word;
    memcpy(work->word, word.data, work->word_len);
}

/* --- A number with a key ------------------------------------------------------------------------ */

static void on_looked_up(void *owner, enum err err, const struct key_lookup_found *found)
{
    struct status_work *work = owner;
    work->err = err;
    work->place_count = found->count;
    work->place_next = 0;
    work->is_omitted = false;
    for (uint32_t i = 0; i < found->count; i++)
        work->places[i] = (struct store_place){.position = found->positions[i]};
    work->question->on_ready(work->question);
}

static enum question_state look_up(struct status_door *self,
                                   struct question *question,
                                   const struct line_question *asked,
                                   struct buffer *answers)
{
    struct status_work *work = work_of(question);
    if (asked->subject != LINE_QUESTION_NUMBER)
        return refuse(self, answers, LINE_ERROR_BAD_REQUEST);
    if (work == NULL || (work->lookup == NULL && key_lookup_new(self->store, question->loop, on_looked_up,
                                                                work, &work->lookup) != ERR_NONE))
        return refuse(self, answers, LINE_ERROR_UNAVAILABLE);
    struct key_lookup_question key = {
        .sequence = self->options.sequence, .number = asked->from, .key = asked->next, .wants_all = true};
    work->task = STATUS_LOOKUP;
    work->wants_receipts = asked->kind == LINE_QUESTION_RECEIPT;
    take_word(work, asked->word);
    key_lookup_ask(work->lookup, &key);
    return QUESTION_LATER;
}

static bool are_processed(struct status_door *self, const struct status_work *work)
{
    for (uint32_t i = 0; i < work->place_count; i++)
        if (!receipts_is_place_processed(self->receipts, work->places[i].position))
            return false;
    return work->place_count > 0;
}

static enum question_state
answer_lookup(struct status_door *self, struct status_work *work, struct buffer *answers)
{
    if (work->err != ERR_NONE)
        return refuse(self, answers, LINE_ERROR_UNAVAILABLE);
    if (!work->wants_receipts) {
        status_answer(answers, are_processed(self, work));
        return QUESTION_DONE;
    }
    work->task = STATUS_RECEIPTS;
    if (work->place_count > 0)
        return put_receipts(self, work, answers);
    status_answer_no_place(answers, span_of(work->word, work->word_len), RECEIPT_UNKNOWN);
    return QUESTION_DONE;
}

/* --- Places and numbers ------------------------------------------------------------------------- */

static enum question_state
answer_place(struct status_door *self, const struct line_question *asked, struct buffer *answers)
{
    const struct line_place *place = &asked->place;
    struct span name = place->topic.len > 0 ? place->topic : self->options.topic;
    struct store_topic topic;
    if (name.len == 0)
        return refuse(self, answers, LINE_ERROR_BAD_REQUEST);
    bool is_there = self->store->ops->topic_open(self->store, name, 0, false, &topic) == ERR_NONE;
    struct store_position position = {is_there ? topic.id : 0, place->partition, place->offset};
    struct receipt receipt = {.state = RECEIPT_UNKNOWN};
    if (asked->kind == LINE_QUESTION_STATUS) {
        status_answer(answers, is_there && receipts_is_place_processed(self->receipts, position));
        return QUESTION_DONE;
    }
    if (is_there)
        receipts_look(self->receipts, position, &receipt);
    if (receipt.state == RECEIPT_UNKNOWN)
        status_answer_no_place(answers, asked->word, RECEIPT_UNKNOWN);
    else
        status_answer_receipt(answers, self->receipts, asked->word, &receipt,
                              (struct status_receipt_rest){.more = 0});
    return QUESTION_DONE;
}

static enum question_state answer_receipts(struct status_door *self,
                                           struct question *question,
                                           const struct line_question *asked,
                                           struct buffer *answers)
{
    struct status_work *work = work_of(question);
    bool has_unplaced = false;
    if (work == NULL)
        return refuse(self, answers, LINE_ERROR_UNAVAILABLE);
    work->place_count = 0;
    enum err err =
        self->store->outcomes->places(self->store, (struct store_number){self->options.sequence, asked->from},
                                      work->places, RECEIPTS_MAX, &work->place_count, &has_unplaced);
    if (err != ERR_NONE && err != ERR_TOO_MANY)
        return refuse(self, answers, LINE_ERROR_UNAVAILABLE);
    if (work->place_count == 0) {
        status_answer_no_place(answers, asked->word, has_unplaced ? RECEIPT_STORED : RECEIPT_UNKNOWN);
        return QUESTION_DONE;
    }
    work->task = STATUS_RECEIPTS;
    work->is_omitted = err == ERR_TOO_MANY || has_unplaced;
    work->place_next = 0;
    take_word(work, asked->word);
    return put_receipts(self, work, answers);
}

static enum question_state
answer_number(struct status_door *self, const struct line_question *asked, struct buffer *answers)
{
    bool is_processed = false;
    if (receipts_is_processed(self->receipts, self->options.sequence, asked->from, &is_processed) != ERR_NONE)
        return refuse(self, answers, LINE_ERROR_UNAVAILABLE);
    status_answer(answers, is_processed);
    return QUESTION_DONE;
}

static enum question_state answer_range(struct status_door *self,
                                        struct question *question,
                                        const struct line_question *asked,
                                        struct buffer *answers)
{
    struct status_work *work = work_of(question);
    if (work == NULL)
        return refuse(self, answers, LINE_ERROR_UNAVAILABLE);
    work->task = STATUS_RANGE;
    status_range_begin(&work->range, self->options.sequence, asked->from, asked->to, self->options.is_kmq);
    bool is_complete = status_range_go_on(&work->range, self->store, self->receipts, answers);
    return is_complete ? QUESTION_DONE : QUESTION_MORE;
}

/* --- What a connection asks --------------------------------------------------------------------- */

static void begin(struct question_answerer *answerer)
{
    receipts_refresh(door_of(answerer)->receipts);
}

static enum question_state answer(struct question_answerer *answerer,
                                  struct question *question,
                                  struct span line,
                                  struct buffer *answers)
{
    struct status_door *self = door_of(answerer);
    struct line_question asked;
    enum line_error error = LINE_ERROR_TOO_LONG;
    if (line.len <= QUESTION_LINE_MAX)
        error = line_question_parse(line, &asked);
    if (error == LINE_ERROR_NONE && self->options.is_kmq && asked.kind == LINE_QUESTION_RECEIPT)
        error = LINE_ERROR_BAD_REQUEST;
    if (error != LINE_ERROR_NONE)
        return refuse(self, answers, error);
    if (self->options.has_keys && asked.next.len > 0)
        return look_up(self, question, &asked, answers);
    if (asked.subject == LINE_QUESTION_PLACE)
        return answer_place(self, &asked, answers);
    if (asked.subject == LINE_QUESTION_RANGE)
        return answer_range(self, question, &asked, answers);
    if (asked.kind == LINE_QUESTION_RECEIPT)
        return answer_receipts(self, question, &asked, answers);
    return answer_number(self, &asked, answers);
}

static enum question_state
go_on(struct question_answerer *answerer, struct question *question, struct buffer *answers)
{
    struct status_door *self = door_of(answerer);
    struct status_work *work = question->work;
    bool is_complete;
    switch (work->task) {
    case STATUS_LOOKUP: return answer_lookup(self, work, answers);
    case STATUS_RECEIPTS: return put_receipts(self, work, answers);
    case STATUS_RANGE: break;
    }
    is_complete = status_range_go_on(&work->range, self->store, self->receipts, answers);
    return is_complete ? QUESTION_DONE : QUESTION_MORE;
}

static void forget(struct question_answerer *answerer, struct question *question)
{
    struct status_work *work = question->work;
    (void)answerer;
    if (work == NULL)
        return;
    work->lookup = key_lookup_close(work->lookup);
    free(work);
    question->work = NULL;
}

void status_door_init(struct status_door *status,
                      struct loop *loop,
                      const char *name,
                      struct store *store,
                      struct receipts *receipts,
                      struct status_options options)
{
    static const struct question_answerer_ops ops = {
        .begin = begin, .answer = answer, .go_on = go_on, .forget = forget};
    *status = (struct status_door){
        .answerer = {.ops = &ops}, .store = store, .receipts = receipts, .options = options};
    question_door_init(&status->questions, loop, name, &status->answerer, options.is_kmq);
}

void status_door_done(struct status_door *status)
{
    question_door_done(&status->questions);
}
