/* Reads a topic and writes its records to a peer as canonical lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/topic_reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"

/*
 * One bounded step at the end of each turn, until it must wait:
 *
 *   records left of the last read -> lines, some pieces of them  BUSY: wait for topic_reader_resume
 *   else read the next partition that may have more              PENDING: wait for the mail, or for a buffer
 *   all partitions are at their end, or something failed -> finished, or with `follow` wait for the store's watch
 *
 * While the peer does not read, another reader may need the buffer: what was read is forgotten, and read again.
 * Retention passed the place: go on at the first kept record, counted and logged. Damage: go on behind it, logged.
 */
enum { PIECES_A_TURN = 4 };

struct position {
    uint64_t next; /* the first that no line was made of */
    uint64_t stop; /* exclusive; UINT64_MAX when it follows */
    uint64_t hint; /* the store's */
    bool is_at_end;
};

struct topic_reader {
    struct topic_reader_options options;
    struct topic_reader_events events;
    struct store *store;
    struct read_pool *pool;
    struct line_writer *writer;
    struct loop_task step;
    struct store_watch watch;
    struct read_seat seat;
    struct store_read read;
    size_t at; /* in the bytes read: the next batch */
    bool has_batch;
    struct record_cursor cursor;
    uint64_t line_count;
    struct position *positions;
    uint32_t position_count;
    uint32_t first_partition;
    uint32_t current; /* in positions */
    bool has_read;    /* since it has its buffer */
    bool is_reading;
    bool is_watching;
    bool is_ending;
    enum err outcome; /* once it is ending */
    bool is_finished;
    bool is_closed;
};

/* --- Ending ------------------------------------------------------------------------------------- */

static void forget_records(struct topic_reader *self)
{
    self->at = 0;
    self->read.ret_len = 0;
    self->has_batch = false;
}

static void leave_seat(struct topic_reader *self)
{
    forget_records(self);
    self->has_read = false;
    read_pool_leave(self->pool, &self->seat);
}

static void free_when_idle(struct topic_reader *self)
{
    if (self->is_reading || self->is_watching)
        return;
    leave_seat(self);
    free(self->positions);
    free(self);
}

static void step_later(struct topic_reader *self)
{
    loop_at_end_of_turn(self->pool->loop, &self->step);
}

static void finish(struct topic_reader *self, enum err err)
{
    struct why why = {""};
    check(!self->is_finished);
    self->is_finished = true;
    if (err != ERR_NONE)
        err = why_set(&why, err, "partition %u offset %" PRIu64 ": %s", self->first_partition + self->current,
                      self->positions[self->current].next, err_text(err));
    self->events.on_finished(self->events.owner, err, &why);
}

void topic_reader_end(struct topic_reader *reader, enum err outcome)
{
    if (reader->is_ending || reader->is_finished)
        return;
    reader->is_ending = true;
    reader->outcome = outcome;
    step_later(reader);
}

struct topic_reader *topic_reader_close(struct topic_reader *reader)
{
    if (reader == NULL)
        return NULL;
    reader->is_closed = true;
    reader->is_finished = true;
    loop_task_cancel(&reader->step);
    if (reader->is_watching && reader->store->ops->unwatch(reader->store, &reader->watch))
        reader->is_watching = false;
    if (!reader->is_reading)
        leave_seat(reader);
    free_when_idle(reader);
    return NULL;
}

/* --- Lines -------------------------------------------------------------------------------------- */

static bool limit_is_reached(const struct topic_reader *self)
{
    return self->options.limit > 0 && self->line_count >= self->options.limit;
}

/* The records of one batch that are asked for, until there is enough for a piece. */
static enum err format_batch(struct topic_reader *self, struct position *position, size_t enough)
{
    uint32_t partition = self->first_partition + self->current;
    struct buffer *lines = &self->pool->lines;
    while (lines->len < enough && !limit_is_reached(self)) {
        struct record record;
        enum decode decoded = record_cursor_next(&self->cursor, &record);
        if (decoded == DECODE_BAD)
            return ERR_DAMAGED;
        self->has_batch = decoded == DECODE_DONE;
        if (!self->has_batch)
            return ERR_NONE;
        if (record.offset < position->next || record.offset >= position->stop)
            continue;
        enum err err = line_canonical_append(lines, &record, partition, self->options.encoding);
        if (err != ERR_NONE)
            return err;
        position->next = record.offset + 1;
        self->line_count++;
    }
    return ERR_NONE;
}

/* Records may be larger than limits.record: it was another one when they were stored. */
static enum err begin_batch(struct topic_reader *self)
{
    struct span bytes = span_after(span_of(self->seat.buffer, self->read.ret_len), self->at);
    struct record_batch batch;
    size_t bad_at = 0;
    if (record_batch_decode(bytes, &batch, &bad_at) != DECODE_DONE)
        return ERR_DAMAGED;
    self->at += batch.bytes.len;
    self->has_batch = true;
    return record_cursor_init(&self->cursor, &batch);
}

static bool has_records(const struct topic_reader *self)
{
    return self->has_batch || self->at < self->read.ret_len;
}

/* Makes lines of what was read, until there is enough for a piece or nothing left. */
static enum err format_piece(struct topic_reader *self, size_t enough)
{
    struct position *position = &self->positions[self->current];
    enum err err = ERR_NONE;
    while (err == ERR_NONE && has_records(self) && self->pool->lines.len < enough &&
           !limit_is_reached(self)) {
        if (!self->has_batch)
            err = begin_batch(self);
        if (err == ERR_NONE)
            err = format_batch(self, position, enough);
    }
    if (err == ERR_NONE && !has_records(self))
        position->next = self->read.ret_next_offset;
    return err;
}

/* What was made is written, also before what cannot be read. NONE, BUSY, or the end of it. */
static enum err make_piece(struct topic_reader *self)
{
    enum err err = format_piece(self, line_writer_room(self->writer));
    enum err written = line_writer_write(self->writer, buffer_span(&self->pool->lines));
    read_pool_clear_lines(self->pool);
    return written == ERR_NONE || (written == ERR_BUSY && err != ERR_NONE) ? err : written;
}

/* --- Reads -------------------------------------------------------------------------------------- */

static void log_gap(const struct topic_reader *self, const char *msg, uint64_t from, uint64_t to)
{
    log_line(LOG_WARN, "door", msg, "topic=%s partition=%u from=%" PRIu64 " to=%" PRIu64 " peer=%s",
             self->options.topic.name, self->first_partition + self->current, from, to,
             self->writer->stream->peer);
}

static enum err skip_expired(struct topic_reader *self, struct position *position)
{
    struct store_extent extent;
    enum err err = self->store->ops->extent(self->store, self->options.topic.id,
                                            self->first_partition + self->current, &extent);
    if (err != ERR_NONE)
        return err;
    if (extent.start <= position->next)
        return ERR_EXPIRED; /* the store contradicts itself: going on would never end */
    log_gap(self, "retention has passed a reader", position->next, extent.start);
    metric_add(METRIC_GAPS, 1);
    uint64_t from = position->next;
    position->next = extent.start;
    if (self->events.on_gap != NULL)
        self->events.on_gap(self->events.owner, self->first_partition + self->current, from, extent.start);
    return ERR_NONE;
}

static enum err skip_damaged(struct topic_reader *self, struct position *position)
{
    if (self->read.ret_next_offset <= position->next)
        return ERR_DAMAGED;
    log_gap(self, "damaged records are left out", position->next, self->read.ret_next_offset);
    position->next = self->read.ret_next_offset;
    return ERR_NONE;
}

static void note_end(struct topic_reader *self, struct position *position)
{
    position->is_at_end = self->read.ret_next_offset == position->next;
    if (self->read.ret_len == 0)
        position->next = self->read.ret_next_offset;
}

/* What a read has come to; the next step looks at it again. */
static void take_read(struct topic_reader *self)
{
    struct position *position = &self->positions[self->current];
    enum err err = self->read.ret_err;
    size_t needed = self->read.ret_len;
    position->hint = self->read.hint;
    self->at = 0;
    if (err != ERR_NONE)
        self->read.ret_len = 0;
    if (err == ERR_NONE)
        note_end(self, position);
    else if (err == ERR_EXPIRED)
        err = skip_expired(self, position);
    else if (err == ERR_DAMAGED)
        err = skip_damaged(self, position);
    else if (err == ERR_TOO_LARGE && needed > self->seat.size)
        err = read_pool_enlarge(self->pool, &self->seat, needed);
    if (err != ERR_NONE)
        topic_reader_end(self, err);
    else
        step_later(self);
}

static void on_read(struct mail *mail)
{
    struct topic_reader *self = LIST_OWNER(mail, struct topic_reader, read.mail);
    self->is_reading = false;
    if (self->is_closed)
        free_when_idle(self);
    else
        take_read(self);
}

/* The store answers now, or a mail does. */
static void read_records(struct topic_reader *self)
{
    self->read = (struct store_read){
        .mail = {.on_delivered = on_read},
        .reply_to = &self->pool->loop->mailbox,
        .topic = self->options.topic.id,
        .partition = self->first_partition + self->current,
        .offset = self->positions[self->current].next,
        .hint = self->positions[self->current].hint,
        .buffer = self->seat.buffer,
        .size = self->seat.size,
    };
    self->is_reading = true;
    self->has_read = true;
    enum err err = self->store->ops->read(self->store, &self->read);
    if (err == ERR_PENDING)
        return;
    self->is_reading = false;
    self->read.ret_err = err;
    take_read(self);
}

/* Nothing is left of what was read: whoever waits for a buffer goes first. */
static void start_read(struct topic_reader *self)
{
    if (self->has_read && read_pool_is_wanted(self->pool))
        leave_seat(self);
    enum err err = read_pool_take(self->pool, &self->seat);
    if (err == ERR_NONE)
        read_records(self);
    else if (err != ERR_PENDING)
        topic_reader_end(self, err);
}

/* --- Steps -------------------------------------------------------------------------------------- */

static bool position_is_done(const struct position *position)
{
    return position->is_at_end || position->next >= position->stop;
}

/* The next partition, round about, that may have more; false when none has. */
static bool choose_partition(struct topic_reader *self)
{
    for (uint32_t i = 1; i <= self->position_count; i++) {
        uint32_t next = (self->current + i) % self->position_count;
        if (!position_is_done(&self->positions[next])) {
            self->current = next;
            return true;
        }
    }
    return false;
}

static void set_watch(struct topic_reader *self)
{
    self->is_watching = true;
    self->store->ops->watch(self->store, &self->watch);
}

static void wait_or_finish(struct topic_reader *self)
{
    if (self->options.follow)
        leave_seat(self);
    else
        topic_reader_end(self, ERR_NONE);
}

/* Some pieces: then others have their turn. */
static void make_lines(struct topic_reader *self)
{
    uint64_t lines = self->line_count;
    enum err err = ERR_NONE;
    for (unsigned i = 0; i < PIECES_A_TURN && err == ERR_NONE && has_records(self) && !limit_is_reached(self);
         i++)
        err = make_piece(self);
    metric_add(METRIC_RECORDS_GIVEN, (int64_t)(self->line_count - lines));
    if (err == ERR_CLOSED || err == ERR_TOO_MANY)
        finish(self, err);
    else if (err != ERR_NONE && err != ERR_BUSY)
        topic_reader_end(self, err);
    else
        step_later(self);
}

static void on_step(struct loop_task *step)
{
    struct topic_reader *self = LIST_OWNER(step, struct topic_reader, step);
    if (self->is_reading || self->is_finished)
        return;
    if (self->writer->is_busy)
        read_pool_set_idle(self->pool, &self->seat, true);
    else if (self->is_ending || limit_is_reached(self))
        finish(self, self->outcome);
    else if (has_records(self))
        make_lines(self);
    else if (choose_partition(self))
        start_read(self);
    else
        wait_or_finish(self);
}

static void on_turn(struct read_seat *seat)
{
    step_later(LIST_OWNER(seat, struct topic_reader, seat));
}

static void on_taken(struct read_seat *seat)
{
    struct topic_reader *self = LIST_OWNER(seat, struct topic_reader, seat);
    forget_records(self);
    self->has_read = false;
}

/* The watch is set again before the partitions are looked at, so that nothing is missed in between. */
static void on_watch(struct mail *mail)
{
    struct topic_reader *self = LIST_OWNER(mail, struct topic_reader, watch.mail);
    self->is_watching = false;
    if (self->is_closed) {
        free_when_idle(self);
        return;
    }
    if (self->is_finished)
        return;
    set_watch(self);
    for (uint32_t i = 0; i < self->position_count; i++)
        self->positions[i].is_at_end = false;
    step_later(self);
}

void topic_reader_resume(struct topic_reader *reader)
{
    read_pool_set_idle(reader->pool, &reader->seat, false);
    if (!reader->is_finished)
        step_later(reader);
}

/* --- Beginning ---------------------------------------------------------------------------------- */

static enum err find_positions(struct topic_reader *self)
{
    const struct topic_reader_options *options = &self->options;
    for (uint32_t i = 0; i < self->position_count; i++) {
        struct store_extent extent;
        enum err err =
            self->store->ops->extent(self->store, options->topic.id, self->first_partition + i, &extent);
        if (err != ERR_NONE)
            return err;
        struct position *position = &self->positions[i];
        position->next = options->from == TOPIC_READER_FROM_START ? extent.start
                         : options->from == TOPIC_READER_FROM_END ? extent.end
                                                                  : options->offset;
        position->stop = options->follow ? UINT64_MAX : extent.end;
    }
    return ERR_NONE;
}

enum err topic_reader_new(const struct topic_reader_options *options,
                          struct store *store,
                          struct read_pool *pool,
                          struct line_writer *writer,
                          struct topic_reader_events events,
                          struct topic_reader **ret_reader)
{
    struct topic_reader *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return ERR_MEMORY;
    bool is_one = options->partition != TOPIC_READER_ALL_PARTITIONS;
    *self = (struct topic_reader){
        .options = *options, .events = events, .store = store, .pool = pool, .writer = writer};
    read_seat_init(&self->seat, on_turn, on_taken);
    self->first_partition = is_one ? (uint32_t)options->partition : 0;
    self->position_count = is_one ? 1 : options->topic.partitions;
    self->positions = calloc(self->position_count, sizeof(*self->positions));
    loop_task_init(&self->step, on_step);
    self->watch = (struct store_watch){.mail = {.on_delivered = on_watch}, .reply_to = &pool->loop->mailbox};
    enum err err = self->positions == NULL ? ERR_MEMORY : ERR_NONE;
    if (err == ERR_NONE)
        err = find_positions(self);
    if (err != ERR_NONE) {
        topic_reader_close(self);
        return err;
    }
    if (options->follow)
        set_watch(self);
    step_later(self);
    *ret_reader = self;
    return ERR_NONE;
}
