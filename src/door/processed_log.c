/* Follows a file that consumers append to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/processed_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"
#include "door/log_tail.h"
#include "door/processed_line.h"
#include "door/processed_runs.h"

/*
 *   a change, or a second -> whole lines, so many a turn -> numbers -> places -> runs
 *       -> full, or nothing more to read -> one append with the runs and the position -> synced -> goes on
 *
 * - A number that is not stored waits for some seconds: its line may have come before it. The position that is noted lies before
 *   the first that waits, so a restart asks for it again. Then it is counted as unknown.
 * - Reading twice does no harm: who has an outcome keeps it. So in doubt it is read twice.
 * - While an append is under way nothing is read: what waits is in the file.
 */
enum {
    LINES_PER_TURN = 1024,
    PLACES_MAX = 256, /* of one number */
    WAITING_MAX = 1024,
    NOTE_KEY_SIZE = 64,
};

static const int64_t poll_ns = CLOCK_NS_PER_S;
static const int64_t ask_again_ns = 100 * CLOCK_NS_PER_MS;
static const int64_t cold_ns = 2 * CLOCK_NS_PER_MS;
static const int64_t patience_ns = 5 * CLOCK_NS_PER_S;

/* What a line speaks of. */
struct mark {
    uint64_t number; /* 0: the record at the position */
    struct store_position position;
};

/* A line whose message is not there, or not yet. */
struct waiting_line {
    struct mark mark;
    uint64_t inode;
    uint64_t offset;
    int64_t due_ns;
};

struct processed_log {
    struct store *store;
    struct loop *loop;
    struct groups *groups;
    struct processed_log_settings settings;
    char note_key[NOTE_KEY_SIZE];
    struct loop_task step;
    struct timer again;
    struct log_tail tail;
    struct processed_runs runs;
    struct log_tail_position noted;
    struct log_tail_position noting; /* that is under way */
    struct waiting_line waiting[WAITING_MAX];
    uint32_t waiting_count;
    uint64_t behind; /* bytes, as the metric has them */
    enum err look_err;
    bool has_looked; /* since something was read */
    bool asks_again; /* for those that wait */
    bool is_settling;
    bool is_stopped;
};

/* --- Position ----------------------------------------------------------------------------------- */

static void make_note_key(struct processed_log *self)
{
    const struct processed_log_settings *settings = &self->settings;
    uint32_t crc = hash_crc32c(span_of(settings->path, strlen(settings->path) + 1), 0);
    uint32_t names = hash_crc32c(settings->group, 0);
    names = hash_crc32c(span_of("", 1), names);
    names = hash_crc32c(settings->sequence_name, names);
    (void)snprintf(self->note_key, sizeof self->note_key, "processed_log/%08" PRIx32 "%08" PRIx32, crc,
                   names);
}

static bool take_number(struct span *rest, uint64_t *ret_number)
{
    return span_to_u64(span_take_word(rest), ret_number);
}

/* "1 <inode> <offset> <head_len> <head_crc> <path>" */
static bool read_note(struct processed_log *self, struct span note, struct log_tail_position *ret_position)
{
    uint64_t version;
    uint64_t head_len;
    uint64_t head_crc;
    if (!take_number(&note, &version) || version != 1 || !take_number(&note, &ret_position->inode) ||
        !take_number(&note, &ret_position->offset) || !take_number(&note, &head_len) ||
        !take_number(&note, &head_crc) || note.len == 0 || head_len > LOG_TAIL_HEAD_SIZE)
        return false;
    ret_position->head_len = (uint32_t)head_len;
    ret_position->head_crc = (uint32_t)head_crc;
    return span_equal_text(span_after(note, 1), self->settings.path);
}

static enum err restore(struct processed_log *self)
{
    struct log_tail_position position;
    struct buffer note;
    buffer_init(&note, STORE_NOTE_VALUE_MAX);
    enum err err = self->store->outcomes->note(self->store, span_from_text(self->note_key), &note);
    bool is_known = err == ERR_NONE && read_note(self, buffer_span(&note), &position);
    buffer_done(&note);
    if (is_known && log_tail_restore(&self->tail, &position))
        self->noted = position;
    else if (is_known)
        log_line(LOG_WARN, "door", "processed log is another one: read from its start", "path=%s",
                 log_value(&(struct log_value){0}, span_from_text(self->settings.path)));
    return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

/* From where a restart meets every line again that has not had its effect. */
static struct log_tail_position safe_position(const struct processed_log *self)
{
    struct log_tail_position position = log_tail_position(&self->tail);
    for (uint32_t i = 0; i < self->waiting_count; i++) {
        const struct waiting_line *waiting = &self->waiting[i];
        if (waiting->inode == position.inode && waiting->offset < position.offset)
            position.offset = waiting->offset;
    }
    if (position.head_len > position.offset) {
        position.head_len = 0; /* a beginning is that of what lies before it */
        position.head_crc = 0;
    }
    return position;
}

static bool is_same(const struct log_tail_position *a, const struct log_tail_position *b)
{
    return a->inode == b->inode && a->offset == b->offset;
}

/* --- Lines -------------------------------------------------------------------------------------- */

static bool add_position(struct processed_log *self, struct store_position position)
{
    struct store *store = self->store;
    struct store_extent extent;
    if (store->ops->extent(store, position.topic, position.partition, &extent) != ERR_NONE ||
        position.offset >= extent.end)
        return false;
    if (position.offset >= extent.start)
        processed_runs_add(&self->runs, position);
    return true;
}

static bool add_number(struct processed_log *self, uint64_t number)
{
    struct store_place places[PLACES_MAX];
    uint32_t count = 0;
    bool has_unplaced = false;
    enum err err = self->store->outcomes->places(self->store, self->settings.sequence, number, places,
                                                 PLACES_MAX, &count, &has_unplaced);
    if (err != ERR_NONE && err != ERR_TOO_MANY)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!places[i].is_expired)
            processed_runs_add(&self->runs, places[i].position);
    return count > 0;
}

/* False: there is no such message, or not yet. */
static bool add(struct processed_log *self, const struct mark *mark)
{
    return mark->number == 0 ? add_position(self, mark->position) : add_number(self, mark->number);
}

static void tell(const struct processed_log *self, enum metric metric, const char *message)
{
    metric_add(metric, 1);
    log_line(LOG_WARN, "door", message, "path=%s",
             log_value(&(struct log_value){0}, span_from_text(self->settings.path)));
}

static void give_up(const struct processed_log *self)
{
    tell(self, METRIC_PROCESSED_LOG_UNKNOWN, "processed log names a message that is not stored");
}

static void drop_first_waiting(struct processed_log *self, uint32_t count)
{
    self->waiting_count -= count;
    memmove(self->waiting, self->waiting + count, self->waiting_count * sizeof self->waiting[0]);
}

static void wait_for(struct processed_log *self, const struct waiting_line *line)
{
    if (self->waiting_count == WAITING_MAX) { /* patience has its limit */
        for (uint32_t i = 0; i < WAITING_MAX / 2; i++)
            give_up(self);
        drop_first_waiting(self, WAITING_MAX / 2);
    }
    self->waiting[self->waiting_count++] = *line;
}

/* False: it cannot be meant. */
static bool find_topic(const struct processed_log *self, const struct line_place *place, uint32_t *ret_topic)
{
    struct store *store = self->store;
    struct span name = place->topic.len > 0 ? place->topic : self->settings.topic;
    struct store_topic topic;
    if (name.len == 0 || store->ops->topic_open(store, name, 0, false, &topic) != ERR_NONE)
        return false;
    *ret_topic = topic.id;
    return place->partition < topic.partitions;
}

static void take_line(struct processed_log *self, struct span bytes, uint64_t inode, uint64_t offset)
{
    struct processed_line line = processed_line_parse(bytes);
    struct waiting_line waiting = {
        .mark = {.number = line.number},
        .inode = inode,
        .offset = offset,
        .due_ns = clock_now_ns(self->loop->clock) + patience_ns,
    };
    struct store_position *position = &waiting.mark.position;
    if (line.kind == PROCESSED_LINE_EMPTY)
        return;
    metric_add(METRIC_PROCESSED_LOG_LINES, 1);
    position->partition = line.place.partition;
    position->offset = line.place.offset;
    if (line.kind == PROCESSED_LINE_BAD)
        tell(self, METRIC_PROCESSED_LOG_REFUSED, "line of processed log begins with no number");
    else if (line.kind == PROCESSED_LINE_PLACE && !find_topic(self, &line.place, &position->topic))
        give_up(self);
    else if (!add(self, &waiting.mark))
        wait_for(self, &waiting);
}

/* Some whole lines; how many bytes they are. */
static size_t take_lines(struct processed_log *self, const struct log_tail_lines *lines)
{
    size_t at = 0;
    for (unsigned count = 0;
         at < lines->bytes.len && count < LINES_PER_TURN && processed_runs_have_room(&self->runs, PLACES_MAX);
         count++) {
        struct span rest = span_after(lines->bytes, at);
        size_t end = span_find(rest, '\n');
        size_t len = end < rest.len ? end + 1 : rest.len;
        take_line(self, span_of(rest.data, len), lines->inode, lines->offset + at);
        at += len;
    }
    return at;
}

/* Those whose message has come meanwhile, and those whose time is over, wait no more. */
static void ask_for_waiting(struct processed_log *self)
{
    int64_t now_ns = clock_now_ns(self->loop->clock);
    uint32_t kept = 0;
    self->asks_again = false;
    for (uint32_t i = 0; i < self->waiting_count; i++) {
        const struct waiting_line *waiting = &self->waiting[i];
        bool has_room = processed_runs_have_room(&self->runs, PLACES_MAX);
        bool is_there = has_room && add(self, &waiting->mark);
        bool is_over = has_room && !is_there && now_ns >= waiting->due_ns;
        if (is_over)
            give_up(self);
        if (!is_there && !is_over)
            self->waiting[kept++] = *waiting;
    }
    self->waiting_count = kept;
}

/* --- The file ----------------------------------------------------------------------------------- */

static bool waits_in_old_file(const struct processed_log *self)
{
    for (uint32_t i = 0; i < self->waiting_count; i++)
        if (self->waiting[i].inode == self->tail.old.position.inode)
            return true;
    return false;
}

static void tell_change(const struct processed_log *self, enum log_tail_change change)
{
    static const char *const messages[] = {
        [LOG_TAIL_BEGUN] = "processed log is followed",
        [LOG_TAIL_ROTATED] = "processed log was rotated",
        [LOG_TAIL_RESTARTED] = "processed log was truncated or rewritten: read from its start",
    };
    if (change != LOG_TAIL_SAME)
        log_line(LOG_INFO, "door", messages[change], "path=%s",
                 log_value(&(struct log_value){0}, span_from_text(self->settings.path)));
}

/* Once, until it is another one. */
static void tell_trouble(struct processed_log *self, enum err err)
{
    if (err != ERR_NONE && err != self->look_err)
        log_line(LOG_WARN, "door", "processed log cannot be read", "path=%s err=%s",
                 log_value(&(struct log_value){0}, span_from_text(self->settings.path)), err_name(err));
    self->look_err = err;
}

/* True when it is worth reading again. */
static bool look(struct processed_log *self)
{
    enum log_tail_change change;
    int64_t now_ns = clock_now_ns(self->loop->clock);
    self->has_looked = true;
    tell_trouble(self, log_tail_look(&self->tail, now_ns, waits_in_old_file(self), &change));
    tell_change(self, change);
    return change != LOG_TAIL_SAME;
}

static void measure(struct processed_log *self)
{
    uint64_t behind = log_tail_behind(&self->tail);
    metric_add(METRIC_PROCESSED_LOG_BEHIND, (int64_t)behind - (int64_t)self->behind);
    self->behind = behind;
}

/* True: there may be more in the next turn. */
static bool read_some(struct processed_log *self)
{
    struct log_tail_lines lines;
    enum err err = log_tail_read(&self->tail, &lines);
    if (err == ERR_AGAIN)
        return true; /* the timer is short then */
    if (err != ERR_NONE)
        tell_trouble(self, err);
    if (err != ERR_NONE || (lines.bytes.len == 0 && !lines.goes_on))
        return !self->has_looked && look(self);
    self->has_looked = false;
    if (lines.bytes.len > 0) {
        size_t taken = take_lines(self, &lines);
        if (taken > 0)
            log_tail_take(&self->tail, taken);
    }
    return true;
}

/* --- Committing --------------------------------------------------------------------------------- */

static void wait_until(struct processed_log *self, int64_t after_ns)
{
    timer_start(&self->again, after_ns);
}

static void begin_runs(struct processed_log *self)
{
    struct processed_runs *runs = &self->runs;
    struct span by = span_from_text(self->settings.name);
    uint32_t id = runs->group;
    by.len = by.len < STORE_BY_MAX ? by.len : STORE_BY_MAX;
    /* It may have been forgotten, and be another one now. */
    (void)!self->store->outcomes->group_open(self->store, self->settings.group, true, &id);
    processed_runs_begin(runs, self->store, id, by);
}

static void on_settled(void *owner, enum err err)
{
    struct processed_log *self = owner;
    self->is_settling = false;
    if (err != ERR_NONE) {
        /* Broken, or on the way down: what was not settled is in the file. */
        if (!self->is_stopped)
            log_line(LOG_ERROR, "door", "processed log is followed no more", "path=%s err=%s",
                     log_value(&(struct log_value){0}, span_from_text(self->settings.path)), err_name(err));
        processed_log_stop(self);
        return;
    }
    self->noted = self->noting;
    if (self->runs.skipped > 0) {
        metric_add(METRIC_PROCESSED_LOG_SKIPPED, (int64_t)self->runs.skipped);
        log_line(LOG_WARN, "door", "records without a line in the processed log are passed over",
                 "path=%s records=%" PRIu64 " span=%d",
                 log_value(&(struct log_value){0}, span_from_text(self->settings.path)), self->runs.skipped,
                 (int)STORE_SPAN_MAX);
    }
    begin_runs(self);
    if (!self->is_stopped)
        loop_at_end_of_turn(self->loop, &self->step);
}

static enum err settle(struct processed_log *self)
{
    const struct log_tail_position *at = &self->noting;
    char text[STORE_NOTE_VALUE_MAX];
    struct group *group;
    self->noting = safe_position(self);
    int len = snprintf(text, sizeof text, "1 %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %s", at->inode,
                       at->offset, at->head_len, at->head_crc, self->settings.path);
    check(len > 0 && len < (int)sizeof text);
    struct store_note note = {span_from_text(self->note_key), span_of(text, (size_t)len)};
    enum err err = groups_open(self->groups, self->settings.group, &group);
    if (err == ERR_NONE)
        err = group_settle_unseen(group, self->runs.runs, self->runs.count, &note, on_settled, self);
    self->is_settling = err == ERR_NONE;
    return err;
}

static bool has_news(const struct processed_log *self)
{
    struct log_tail_position position = safe_position(self);
    return self->runs.count > 0 || !is_same(&position, &self->noted);
}

/* --- Turns -------------------------------------------------------------------------------------- */

static void settle_or_wait(struct processed_log *self)
{
    enum err err = has_news(self) ? settle(self) : ERR_NONE;
    if (err != ERR_NONE) /* again after a while */
        log_line(LOG_WARN, "door", "outcomes of a processed log wait", "path=%s err=%s",
                 log_value(&(struct log_value){0}, span_from_text(self->settings.path)), err_name(err));
    wait_until(self, self->waiting_count > 0 ? ask_again_ns : poll_ns);
}

static void on_step(struct loop_task *step)
{
    struct processed_log *self = LIST_OWNER(step, struct processed_log, step);
    if (self->is_settling || self->is_stopped)
        return;
    if (self->asks_again)
        ask_for_waiting(self);
    bool has_more = read_some(self);
    measure(self);
    if (!has_more || !processed_runs_have_room(&self->runs, PLACES_MAX))
        settle_or_wait(self);
    else if (self->tail.is_cold)
        wait_until(self, cold_ns);
    else
        loop_at_end_of_turn(self->loop, &self->step);
}

static void on_again(struct timer *again)
{
    struct processed_log *self = LIST_OWNER(again, struct processed_log, again);
    self->asks_again = true;
    processed_log_poke(self);
}

void processed_log_poke(struct processed_log *log)
{
    if (log->is_stopped)
        return;
    log->has_looked = false;
    loop_at_end_of_turn(log->loop, &log->step);
}

/* --- Life --------------------------------------------------------------------------------------- */

enum err processed_log_new(struct store *store,
                           struct loop *loop,
                           struct groups *groups,
                           struct fs *fs,
                           const struct processed_log_settings *settings,
                           struct processed_log **ret_log)
{
    struct processed_log *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    self->store = store;
    self->loop = loop;
    self->groups = groups;
    self->settings = *settings;
    make_note_key(self);
    loop_task_init(&self->step, on_step);
    timer_init(&self->again, loop, on_again);
    log_tail_init(&self->tail, fs, settings->name);
    uint32_t id;
    enum err err = store->outcomes->group_open(store, settings->group, true, &id);
    if (err == ERR_NONE)
        err = restore(self);
    if (err != ERR_NONE) {
        log_tail_done(&self->tail);
        free(self);
        return err;
    }
    begin_runs(self);
    wait_until(self, poll_ns);
    processed_log_poke(self);
    *ret_log = self;
    return ERR_NONE;
}

void processed_log_stop(struct processed_log *log)
{
    log->is_stopped = true;
    timer_stop(&log->again);
    loop_task_cancel(&log->step);
}

struct processed_log *processed_log_free(struct processed_log *log)
{
    if (log == NULL)
        return NULL;
    check(log->is_stopped);
    metric_add(METRIC_PROCESSED_LOG_BEHIND, -(int64_t)log->behind);
    log_tail_done(&log->tail);
    free(log);
    return NULL;
}
