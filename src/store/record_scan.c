/* One bounded read, then its records, then the next read: each step is a mail to its own thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_scan.h"

#include <stdlib.h>

enum { READ_SIZE = 512 * 1024 };

struct record_scan {
    struct store *store;
    struct mailbox *mailbox;
    struct record_scan_events events;
    struct record_scan_range *ranges;
    uint32_t count;
    uint32_t partition; /* that is being read */
    struct store_read read;
    uint8_t *buffer;
    size_t buffer_size;
    size_t at; /* in what was read: the next batch */
    bool has_batch;
    bool has_record; /* was not taken yet */
    struct record_cursor cursor;
    struct record record;
    uint64_t damaged;
    struct mail step_mail;
    bool is_stepping; /* its mail is under way */
    bool is_reading;
    bool is_waiting; /* for record_scan_resume */
    bool is_calling; /* its owner */
    bool is_ended;
    bool is_closed;
};

static void free_when_idle(struct record_scan *scan)
{
    if (scan->is_stepping || scan->is_reading || scan->is_calling)
        return;
    free(scan->buffer);
    free(scan->ranges);
    free(scan);
}

static void step_later(struct record_scan *scan)
{
    if (scan->is_stepping || scan->is_closed || scan->is_ended)
        return;
    scan->is_stepping = true;
    mailbox_post(scan->mailbox, &scan->step_mail);
}

/* --- Ends ----------------------------------------------------------------------------------------- */

static void end(struct record_scan *scan, enum err err)
{
    scan->is_ended = true;
    scan->is_calling = true;
    scan->events.on_end(scan->events.owner, err);
    scan->is_calling = false;
    if (scan->is_closed)
        free_when_idle(scan);
}

struct record_scan *record_scan_close(struct record_scan *scan)
{
    if (scan == NULL)
        return NULL;
    scan->is_closed = true;
    free_when_idle(scan);
    return NULL;
}

struct store_position record_scan_place(const struct record_scan *scan)
{
    bool is_over = scan->partition == scan->count;
    uint64_t offset = is_over ? 0 : scan->ranges[scan->partition].from;
    return (struct store_position){scan->read.topic, scan->partition, offset};
}

uint64_t record_scan_damaged(const struct record_scan *scan)
{
    return scan->damaged;
}

/* --- Records -------------------------------------------------------------------------------------- */

/* NONE with has_record, or without it when there is none left in what was read. */
static enum err find_record(struct record_scan *scan)
{
    while (!scan->has_record) {
        if (!scan->has_batch) {
            struct span rest = span_after(span_of(scan->buffer, scan->read.ret_len), scan->at);
            struct record_batch batch;
            size_t bad_at;
            if (rest.len == 0)
                return ERR_NONE;
            if (record_batch_decode(rest, &batch, &bad_at) != DECODE_DONE)
                return ERR_DAMAGED;
            scan->at += batch.bytes.len;
            enum err err = record_cursor_init(&scan->cursor, &batch);
            if (err != ERR_NONE)
                return err;
            scan->has_batch = true;
        }
        enum decode decoded = record_cursor_next(&scan->cursor, &scan->record);
        if (decoded == DECODE_BAD)
            return ERR_DAMAGED;
        scan->has_batch = decoded == DECODE_DONE;
        const struct record_scan_range *range = &scan->ranges[scan->partition];
        scan->has_record =
            scan->has_batch && scan->record.offset >= range->from && scan->record.offset < range->to;
    }
    return ERR_NONE;
}

/* False: wait, stop or closed. */
static bool offer_record(struct record_scan *scan)
{
    scan->is_calling = true;
    enum record_scan_next next = scan->events.on_record(scan->events.owner, scan->partition, &scan->record);
    scan->is_calling = false;
    if (scan->is_closed) {
        free_when_idle(scan);
        return false;
    }
    scan->is_waiting = next == RECORD_SCAN_WAIT;
    if (scan->is_waiting)
        return false;
    scan->has_record = false;
    scan->ranges[scan->partition].from = scan->record.offset + 1;
    if (next == RECORD_SCAN_GO_ON)
        return true;
    end(scan, ERR_NONE);
    return false;
}

/* False: nothing more may be done in this turn. */
static bool offer_records(struct record_scan *scan)
{
    for (;;) {
        enum err err = find_record(scan);
        if (err != ERR_NONE) {
            end(scan, err);
            return false;
        }
        if (!scan->has_record)
            return true;
        if (!offer_record(scan))
            return false;
    }
}

/* --- Reads ---------------------------------------------------------------------------------------- */

static enum err make_room(struct record_scan *scan, size_t size)
{
    if (scan->buffer != NULL && size <= scan->buffer_size)
        return ERR_NONE;
    free(scan->buffer);
    scan->buffer = malloc(size);
    scan->buffer_size = scan->buffer == NULL ? 0 : size;
    return scan->buffer == NULL ? ERR_MEMORY : ERR_NONE;
}

static void pass(struct record_scan *scan, uint64_t to)
{
    struct record_scan_range *range = &scan->ranges[scan->partition];
    range->from = to < range->to ? to : range->to;
}

static enum err pass_expired(struct record_scan *scan)
{
    struct store_extent extent;
    enum err err = scan->store->ops->extent(scan->store, scan->read.topic, scan->partition, &extent);
    if (err != ERR_NONE)
        return err;
    if (extent.start <= scan->ranges[scan->partition].from)
        return ERR_EXPIRED; /* the store contradicts itself: going on would never end */
    pass(scan, extent.start);
    return ERR_NONE;
}

static enum err pass_damaged(struct record_scan *scan)
{
    uint64_t before = scan->ranges[scan->partition].from;
    if (scan->read.ret_next_offset <= before)
        return ERR_DAMAGED;
    pass(scan, scan->read.ret_next_offset);
    scan->damaged += scan->ranges[scan->partition].from - before;
    return ERR_NONE;
}

/* What a read has come to; its records are the next step's. */
static void take_read(struct record_scan *scan)
{
    enum err err = scan->read.ret_err;
    size_t len = scan->read.ret_len;
    scan->at = 0;
    if (err != ERR_NONE)
        scan->read.ret_len = 0;
    if (err == ERR_NONE && len == 0)
        pass(scan, UINT64_MAX); /* the end of the log is before that of the range */
    else if (err == ERR_EXPIRED)
        err = pass_expired(scan);
    else if (err == ERR_DAMAGED)
        err = pass_damaged(scan);
    else if (err == ERR_TOO_LARGE && len > scan->buffer_size)
        err = make_room(scan, len);
    if (err != ERR_NONE)
        end(scan, err);
    else
        step_later(scan);
}

static void on_read(struct mail *mail)
{
    struct record_scan *scan = LIST_OWNER(mail, struct record_scan, read.mail);
    scan->is_reading = false;
    if (scan->is_closed)
        free_when_idle(scan);
    else
        take_read(scan);
}

static void start_read(struct record_scan *scan)
{
    enum err err = make_room(scan, READ_SIZE);
    if (err != ERR_NONE) {
        end(scan, err);
        return;
    }
    scan->read = (struct store_read){
        .mail = {.on_delivered = on_read},
        .reply_to = scan->mailbox,
        .topic = scan->read.topic,
        .partition = scan->partition,
        .offset = scan->ranges[scan->partition].from,
        .hint = scan->read.partition == scan->partition ? scan->read.hint : 0,
        .buffer = scan->buffer,
        .size = scan->buffer_size,
    };
    scan->is_reading = true;
    err = scan->store->ops->read(scan->store, &scan->read);
    if (err == ERR_PENDING)
        return;
    scan->is_reading = false;
    scan->read.ret_err = err;
    take_read(scan);
}

static void on_step(struct mail *mail)
{
    struct record_scan *scan = LIST_OWNER(mail, struct record_scan, step_mail);
    scan->is_stepping = false;
    if (scan->is_closed) {
        free_when_idle(scan);
        return;
    }
    if (scan->is_waiting || scan->is_reading || !offer_records(scan))
        return;
    if (scan->read.ret_len > 0) /* gaps of compacted batches hold nothing */
        pass(scan, scan->read.ret_next_offset);
    scan->read.ret_len = 0;
    while (scan->partition < scan->count &&
           scan->ranges[scan->partition].from >= scan->ranges[scan->partition].to)
        scan->partition++;
    if (scan->partition == scan->count)
        end(scan, ERR_NONE);
    else
        start_read(scan);
}

void record_scan_resume(struct record_scan *scan)
{
    if (!scan->is_waiting)
        return;
    scan->is_waiting = false;
    step_later(scan);
}

/* --- Beginning ------------------------------------------------------------------------------------ */

enum err record_scan_new(struct store *store,
                         struct mailbox *mailbox,
                         const struct record_scan_order *order,
                         const struct record_scan_events *events,
                         struct record_scan **ret_scan)
{
    struct record_scan *scan = calloc(1, sizeof *scan);
    struct record_scan_range *copy = calloc(order->count + 1, sizeof *copy);
    if (scan == NULL || copy == NULL) {
        free(copy);
        free(scan);
        return ERR_MEMORY;
    }
    if (order->count > 0)
        memcpy(copy, order->ranges, order->count * sizeof *copy);
    scan->store = store;
    scan->mailbox = mailbox;
    scan->events = *events;
    scan->ranges = copy;
    scan->count = order->count;
    scan->read.topic = order->topic;
    scan->step_mail.on_delivered = on_step;
    step_later(scan);
    *ret_scan = scan;
    return ERR_NONE;
}

enum err record_scan_ranges(struct store *store,
                            const struct store_topic *topic,
                            struct record_scan_range **ret_ranges)
{
    struct record_scan_range *ranges = calloc(topic->partitions, sizeof *ranges);
    if (ranges == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < topic->partitions; i++) {
        struct store_extent extent;
        enum err err = store->ops->extent(store, topic->id, i, &extent);
        if (err != ERR_NONE) {
            free(ranges);
            return err;
        }
        ranges[i] = (struct record_scan_range){extent.start, extent.end};
    }
    *ret_ranges = ranges;
    return ERR_NONE;
}
