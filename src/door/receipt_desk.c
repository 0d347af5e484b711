/* The control socket's operation `receipt`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/receipt_desk.h"

#include <stdlib.h>

#include "door/receipt_answer.h"
#include "door/request_reader.h"
#include "wire/line_number.h"
#include "wire/line_place.h"

enum {
    OP_RECEIPT,
    OPS,
    ID_MAX = STORE_TOPIC_NAME_MAX + 40,
    ANSWER_SIZE_MAX = 240 * 1024, /* of one receipt: 256 groups, whose names are long */
};

/* --- The request -------------------------------------------------------------------------------- */

struct receipt_request {
    uint8_t id[ID_MAX];
    size_t id_len;
    uint64_t seq;
    uint8_t sequence[STORE_TOPIC_NAME_MAX];
    size_t sequence_len;
};

static bool take_id(void *to, enum json_kind kind, struct span piece)
{
    struct receipt_request *request = to;
    struct line_place place;
    (void)kind;
    return request_copy_text(piece, request->id, sizeof request->id, &request->id_len) &&
           line_place_parse(span_of(request->id, request->id_len), &place) && place.topic.len > 0;
}

static bool take_seq(void *to, enum json_kind kind, struct span piece)
{
    (void)kind;
    return line_number_parse(piece, &((struct receipt_request *)to)->seq);
}

static bool take_sequence(void *to, enum json_kind kind, struct span piece)
{
    struct receipt_request *request = to;
    (void)kind;
    return request_copy_text(piece, request->sequence, sizeof request->sequence, &request->sequence_len);
}

static const char *const op_names[OPS] = {[OP_RECEIPT] = "receipt"};

static const struct request_member members[] = {
    {"id", JSON_STRING, 1U << OP_RECEIPT, 0, "<topic>/<partition>/<offset>", take_id},
    {"seq", JSON_NUMBER, 1U << OP_RECEIPT, 0, "a whole number above 0", take_seq},
    {"sequence", JSON_STRING, 1U << OP_RECEIPT, 0, "a sequence's name", take_sequence},
};

static const struct request_table table = {
    .ops = op_names,
    .op_count = OPS,
    .members = members,
    .member_count = sizeof members / sizeof members[0],
};

/* --- The answer --------------------------------------------------------------------------------- */

/* A receipt a turn: each may be long, and a number may have many. */
struct receipt_task {
    struct control_task task;
    struct receipt_desk *desk;
    struct loop_task step;
    bool *is_gone; /* told when the task is closed inside a call to its sink */
    uint64_t seq;  /* 0: asked for by its place */
    struct store_place places[RECEIPT_PLACES_MAX];
    uint32_t count;
    uint32_t next;
    bool is_omitted; /* there are more of them */
};

static void free_task(struct receipt_task *self)
{
    loop_task_cancel(&self->step);
    free(self);
}

static void finish(struct receipt_task *self, enum err err)
{
    struct control_sink sink = self->task.sink;
    const char *text = err == ERR_TOO_MANY ? "there are more records of this number" : err_text(err);
    free_task(self);
    sink.finish(sink.owner, err, text);
}

/* Looks at the next place and puts its line. */
static enum err put_next(struct receipt_task *self, struct buffer *answer)
{
    struct receipts *receipts = self->desk->receipts;
    const struct store_place *place = &self->places[self->next++];
    struct receipt receipt;
    if (self->seq > 0)
        receipts_look_at_place(receipts, place, &receipt);
    else
        receipts_look(receipts, place->position, &receipt);
    return receipt.state == RECEIPT_UNKNOWN ? ERR_NOT_FOUND
                                            : receipt_answer(answer, receipts, self->seq, &receipt);
}

static void write_next(struct receipt_task *self)
{
    struct control_sink *sink = &self->task.sink;
    struct buffer answer;
    bool is_gone = false;
    bool goes_on = false;
    buffer_init(&answer, ANSWER_SIZE_MAX);
    enum err err = put_next(self, &answer);
    self->is_gone = &is_gone;
    if (err == ERR_NONE)
        goes_on = sink->write(sink->owner, buffer_span(&answer));
    buffer_done(&answer);
    if (is_gone)
        return;
    self->is_gone = NULL;
    if (err != ERR_NONE)
        finish(self, err);
    else if (goes_on)
        loop_at_end_of_turn(self->desk->loop, &self->step);
}

static void on_step(struct loop_task *step)
{
    struct receipt_task *self = LIST_OWNER(step, struct receipt_task, step);
    if (self->next == self->count) {
        finish(self, self->is_omitted ? ERR_TOO_MANY : ERR_NONE);
        return;
    }
    receipts_refresh(self->desk->receipts);
    write_next(self);
}

static void go_on(struct control_task *task)
{
    struct receipt_task *self = LIST_OWNER(task, struct receipt_task, task);
    loop_at_end_of_turn(self->desk->loop, &self->step);
}

static void close_task(struct control_task *task)
{
    struct receipt_task *self = LIST_OWNER(task, struct receipt_task, task);
    if (self->is_gone != NULL)
        *self->is_gone = true;
    free_task(self);
}

/* --- Asking ------------------------------------------------------------------------------------- */

static enum err find_place(struct receipt_task *self, const struct receipt_request *request, struct why *why)
{
    struct store *store = self->desk->store;
    struct span id = span_of(request->id, request->id_len);
    struct line_place place;
    struct store_topic topic;
    bool is_place = line_place_parse(id, &place);
    check(is_place);
    if (store->ops->topic_open(store, place.topic, 0, false, &topic) != ERR_NONE)
        return why_set(why, ERR_UNKNOWN_TOPIC, "there is no topic %.*s", (int)place.topic.len,
                       (const char *)place.topic.data);
    struct receipt receipt;
    self->places[0].position = (struct store_position){topic.id, place.partition, place.offset};
    self->count = 1;
    receipts_refresh(self->desk->receipts);
    receipts_look(self->desk->receipts, self->places[0].position, &receipt);
    if (receipt.state == RECEIPT_UNKNOWN)
        return why_set(why, ERR_NOT_FOUND, "%.*s is not stored", (int)id.len, (const char *)id.data);
    return ERR_NONE;
}

static enum err find_number(struct receipt_task *self, const struct receipt_request *request, struct why *why)
{
    struct store *store = self->desk->store;
    struct span name = request->sequence_len > 0 ? span_of(request->sequence, request->sequence_len)
                                                 : span_from_text("default");
    uint32_t sequence;
    bool has_unplaced = false;
    self->seq = request->seq;
    enum err err = store->ops->sequence_named(store, name, &sequence);
    if (err != ERR_NONE)
        return why_set(why, err, "there is no sequence %.*s", (int)name.len, (const char *)name.data);
    err = store->outcomes->places(store, (struct store_number){sequence, request->seq}, self->places,
                                  RECEIPT_PLACES_MAX, &self->count, &has_unplaced);
    self->is_omitted = err == ERR_TOO_MANY;
    if (err != ERR_NONE && err != ERR_TOO_MANY)
        return why_set(why, err, "%s", err_text(err));
    if (self->count > 0)
        return ERR_NONE;
    return why_set(why, ERR_NOT_FOUND,
                   has_unplaced ? "%llu is stored, but its place is not known"
                                : "nothing is known of the number %llu",
                   (unsigned long long)request->seq);
}

static enum err find(struct receipt_task *self, const struct receipt_request *request, struct why *why)
{
    bool has_id = request->id_len > 0;
    if (has_id == (request->seq > 0) || (has_id && request->sequence_len > 0))
        return why_set(why, ERR_BAD_INPUT, "receipt takes either id, or seq and perhaps sequence");
    return has_id ? find_place(self, request, why) : find_number(self, request, why);
}

static enum err begin(void *owner,
                      struct span line,
                      const struct control_sink *sink,
                      struct why *why,
                      struct control_task **ret_task)
{
    static const struct control_task_ops ops = {.go_on = go_on, .close = close_task};
    struct receipt_desk *desk = owner;
    struct receipt_request request = {.id_len = 0};
    int op;
    if (request_reader_op(&table, line) == REQUEST_OP_NONE)
        return ERR_NOT_FOUND;
    enum err err = request_reader_read(&table, line, "receipt", &request, &op, why);
    if (err != ERR_NONE)
        return err;
    struct receipt_task *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    self->task = (struct control_task){.ops = &ops, .sink = *sink};
    self->desk = desk;
    loop_task_init(&self->step, on_step);
    err = find(self, &request, why);
    if (err != ERR_NONE) {
        free_task(self);
        return err;
    }
    loop_at_end_of_turn(desk->loop, &self->step);
    *ret_task = &self->task;
    return ERR_NONE;
}

struct control_operations receipt_desk_operations(struct receipt_desk *desk)
{
    return (struct control_operations){.begin = begin, .names = "receipt", .owner = desk};
}
