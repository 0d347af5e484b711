/* Keeps order and fairness between many connections and one store. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/append_gate.h"

/* So long two connections that append count as busy at the same time. */
static const int64_t contention_ns = CLOCK_NS_PER_S;

static bool is_pressed(const struct append_gate *gate)
{
    return !list_is_empty(&gate->appends) || gate->inflight_bytes >= GATE_INFLIGHT_MAX ||
           gate->parked_bytes >= GATE_PARKED_MAX || append_gate_is_out_of_room(gate);
}

static bool is_contended(const struct append_gate *gate)
{
    return clock_now_ns(gate->loop->clock) - gate->contended_ns < contention_ns;
}

/* Small reads make small appends: nobody waits long behind one. */
static void note_pressure(struct append_gate *gate)
{
    gate->loop->read_size = is_pressed(gate)     ? GATE_READ_PRESSED
                            : is_contended(gate) ? GATE_READ_CONTENDED
                                                 : LOOP_READ_SIZE;
}

static bool has_waiters(const struct append_gate *gate)
{
    return !list_is_empty(&gate->appends) || !list_is_empty(&gate->readers) || !list_is_empty(&gate->parked);
}

static void on_watched(struct mail *mail)
{
    struct store_watch *watch = LIST_OWNER(mail, struct store_watch, mail);
    struct append_gate *gate = LIST_OWNER(watch, struct append_gate, watch);
    gate->is_watching = false;
    if (has_waiters(gate))
        loop_at_end_of_turn(gate->loop, &gate->task);
}

/* The store is watched only while something waits for it; before it is asked, so that no change is missed. */
static void watch_while_waiting(struct append_gate *gate)
{
    struct store *store = gate->store;
    if (has_waiters(gate)) {
        if (!gate->is_watching) /* its mail may be under way */
            store->ops->watch(store, &gate->watch);
        gate->is_watching = true;
    } else if (gate->is_watching && store->ops->unwatch(store, &gate->watch)) {
        gate->is_watching = false;
    }
}

static void on_completed(struct mail *mail)
{
    struct store_append *completed = LIST_OWNER(mail, struct store_append, mail);
    struct line_append *append = LIST_OWNER(completed, struct line_append, append);
    struct append_gate *gate = append->gate;
    struct gate_reader *reader = append->reader;
    gate->inflight_bytes -= append->size;
    reader->inflight_bytes -= append->size;
    reader->appends--;
    reader->on_complete(reader, append); /* the reader may be gone afterwards */
    line_append_free(append);
    note_pressure(gate);
    if (has_waiters(gate))
        loop_at_end_of_turn(gate->loop, &gate->task);
}

/* An acknowledged duplicate must be as safe as the first one: whoever carries one waits until that is synced. */
static bool awaits_nothing(const struct append_gate *gate, struct line_append *append)
{
    while (append->awaited_count > 0) {
        const uint8_t *identity = append->awaited[0];
        if (gate->store->ops->identity_state(gate->store, identity) == STORE_IDENTITY_PENDING)
            return gate->store->ops->state(gate->store, NULL) == STORE_BROKEN;
        append->awaited++;
        append->awaited_count--;
    }
    return true;
}

enum offer { OFFER_TAKEN, OFFER_LATER, OFFER_TOPIC_FULL };

/* LATER: the store cannot take it now. What it will never take completes with the error. */
static enum offer offer(struct append_gate *gate, struct line_append *append)
{
    if (!awaits_nothing(gate, append))
        return OFFER_LATER;
    append->append.ret_full_part = UINT32_MAX;
    enum err err = gate->store->ops->append(gate->store, &append->append);
    if (err == ERR_NONE)
        return OFFER_TAKEN;
    if (err == ERR_FULL && append->append.ret_full_part != UINT32_MAX)
        return OFFER_TOPIC_FULL;
    if (err_class(err) == ERR_CLASS_RETRY_LATER && err != ERR_DRAINING)
        return OFFER_LATER;
    gate->store->ops->identity_forget(gate->store, append->append.identities, append->append.identity_count);
    append->append.ret_err = err;
    mailbox_post(&gate->loop->mailbox, &append->append.mail);
    return OFFER_TAKEN;
}

static bool is_parked(const struct gate_reader *reader)
{
    return !list_is_empty(&reader->parked);
}

/* Beside the line, behind those of its connection that are there already. */
static void park(struct append_gate *gate, struct line_append *append)
{
    struct gate_reader *reader = append->reader;
    if (!is_parked(reader))
        list_insert_last(&gate->parked, &reader->parked_link);
    list_insert_last(&reader->parked, &append->link);
    gate->inflight_bytes -= append->size;
    gate->parked_bytes += append->size;
}

/* False: the store takes nothing now. */
static bool offer_parked_of(struct append_gate *gate, struct gate_reader *reader)
{
    while (is_parked(reader)) {
        struct line_append *append = LIST_OWNER(reader->parked.next, struct line_append, link);
        enum offer answer = offer(gate, append);
        if (answer != OFFER_TAKEN)
            return answer == OFFER_TOPIC_FULL;
        list_remove(&append->link);
        gate->parked_bytes -= append->size;
        gate->inflight_bytes += append->size;
    }
    list_remove(&reader->parked_link);
    return true;
}

static void offer_parked(struct append_gate *gate)
{
    LIST_EACH_SAFE (&gate->parked, link)
        if (!offer_parked_of(gate, LIST_OWNER(link, struct gate_reader, parked_link)))
            return;
}

static void offer_all(struct append_gate *gate)
{
    while (!list_is_empty(&gate->appends)) {
        struct line_append *append = LIST_OWNER(gate->appends.next, struct line_append, link);
        enum offer answer = is_parked(append->reader) ? OFFER_TOPIC_FULL : offer(gate, append);
        if (answer == OFFER_LATER)
            return;
        list_remove(&append->link);
        if (answer == OFFER_TOPIC_FULL)
            park(gate, append);
    }
}

static size_t share_of(const struct append_gate *gate)
{
    return is_contended(gate) ? GATE_SHARE_MAX : GATE_INFLIGHT_MAX;
}

static bool has_room_for(const struct append_gate *gate, const struct gate_reader *reader)
{
    if (append_gate_is_out_of_room(gate) && reader->kept_bytes > GATE_KEPT_FREE)
        return false;
    return !is_parked(reader) && reader->inflight_bytes < share_of(gate);
}

bool append_gate_is_open(const struct append_gate *gate, const struct gate_reader *reader)
{
    return list_is_empty(&gate->appends) && gate->inflight_bytes < GATE_INFLIGHT_MAX &&
           has_room_for(gate, reader);
}

/* As many as may each bring a full read; those that have no room themselves go behind the others. */
static void give_turns(struct append_gate *gate)
{
    struct list waiting;
    size_t promised = 0;
    list_init(&waiting);
    list_move_all(&waiting, &gate->readers);
    while (list_is_empty(&gate->appends) && gate->inflight_bytes + promised < GATE_INFLIGHT_MAX) {
        struct list *link = list_take_first(&waiting);
        if (link == NULL)
            return;
        struct gate_reader *reader = LIST_OWNER(link, struct gate_reader, link);
        if (!has_room_for(gate, reader)) {
            list_insert_last(&gate->readers, link);
            continue;
        }
        promised += LOOP_READ_SIZE;
        reader->on_turn(reader);
    }
    list_move_all(&waiting, &gate->readers);
    list_move_all(&gate->readers, &waiting);
    if (promised > 0) /* those who had a turn may have nothing to send */
        loop_at_end_of_turn(gate->loop, &gate->task);
}

static void run(struct loop_task *task)
{
    struct append_gate *gate = LIST_OWNER(task, struct append_gate, task);
    watch_while_waiting(gate);
    offer_parked(gate);
    offer_all(gate);
    note_pressure(gate);
    give_turns(gate);
    gate->store->ops->release(gate->store, gate->loop->reads_in_turn == 1);
    watch_while_waiting(gate);
}

void append_gate_init(struct append_gate *gate, struct store *store, struct loop *loop)
{
    *gate = (struct append_gate){
        .store = store,
        .loop = loop,
        .watch = {.mail = {.on_delivered = on_watched}, .reply_to = &loop->mailbox},
        .contended_ns = INT64_MIN / 2,
    };
    list_init(&gate->watch.mail.link);
    list_init(&gate->watch.link);
    list_init(&gate->appends);
    list_init(&gate->readers);
    list_init(&gate->parked);
    loop_task_init(&gate->task, run);
}

void append_gate_done(struct append_gate *gate)
{
    check(!has_waiters(gate) && gate->inflight_bytes == 0);
    watch_while_waiting(gate);
    check(!gate->is_watching);
    loop_task_cancel(&gate->task);
}

void gate_reader_init(struct gate_reader *reader,
                      void (*on_turn)(struct gate_reader *reader),
                      void (*on_complete)(struct gate_reader *reader, const struct line_append *append))
{
    *reader = (struct gate_reader){.on_turn = on_turn, .on_complete = on_complete};
    list_init(&reader->link);
    list_init(&reader->parked);
    list_init(&reader->parked_link);
}

void append_gate_submit(struct append_gate *gate, struct gate_reader *reader, struct line_append *take_append)
{
    struct line_append *append = take_append;
    if (gate->last != NULL && gate->last != reader)
        gate->contended_ns = clock_now_ns(gate->loop->clock);
    gate->last = reader;
    append->gate = gate;
    append->reader = reader;
    append->append.mail.on_delivered = on_completed;
    append->append.reply_to = &gate->loop->mailbox;
    append->append.held = true;
    append->append.alone = reader->appends == 0;
    gate->inflight_bytes += append->size;
    reader->inflight_bytes += append->size;
    reader->appends++;
    list_insert_last(&gate->appends, &append->link);
    if (gate->appends.next == &append->link)
        offer_all(gate);
    note_pressure(gate);
    loop_at_end_of_turn(gate->loop, &gate->task);
}

void append_gate_wait(struct append_gate *gate, struct gate_reader *reader)
{
    if (!list_is_empty(&reader->link))
        return;
    list_insert_last(&gate->readers, &reader->link);
    loop_at_end_of_turn(gate->loop, &gate->task);
}

void append_gate_wait_for_store(struct append_gate *gate, struct gate_reader *reader)
{
    if (!list_is_empty(&reader->link))
        return;
    list_insert_last(&gate->readers, &reader->link);
    watch_while_waiting(gate);
}

void append_gate_leave(struct append_gate *gate, struct gate_reader *reader)
{
    list_remove(&reader->link);
    append_gate_keep(gate, reader, 0);
    if (gate->last == reader)
        gate->last = NULL;
}

void append_gate_keep(struct append_gate *gate, struct gate_reader *reader, size_t bytes)
{
    gate->kept_bytes += bytes;
    gate->kept_bytes -= reader->kept_bytes;
    reader->kept_bytes = bytes;
    note_pressure(gate);
}

bool append_gate_is_out_of_room(const struct append_gate *gate)
{
    return gate->kept_bytes >= GATE_KEPT_MAX;
}
