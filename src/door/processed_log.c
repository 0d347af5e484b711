/* Follows a file that consumers append to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/processed_log.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "door/log_tail.h"
#include "door/processed_marks.h"
#include "door/processed_note.h"

/*
 *   a change, or a second -> whole lines, so many a turn -> numbers -> places -> runs
 *       -> full, or nothing more to read -> one append with the runs and the position -> synced -> goes on
 *
 * - A number that is not stored waits for some seconds: its line may have come before it. The position that is noted lies before
 *   the first that waits, so a restart asks for it again. Then it is counted as unknown.
 * - Reading twice does no harm: who has an outcome keeps it. So in doubt it is read twice.
 * - While an append is under way nothing is read: what waits is in the file.
 */
enum { LINES_PER_TURN = 1024 };

static const int64_t poll_ns = CLOCK_NS_PER_S;
static const int64_t ask_again_ns = 100 * CLOCK_NS_PER_MS;
static const int64_t cold_ns = 2 * CLOCK_NS_PER_MS;

struct processed_log {
    struct store *store;
    struct loop *loop;
    struct groups *groups;
    struct processed_log_settings settings;
    char note_key[PROCESSED_NOTE_KEY_SIZE];
    struct loop_task step;
    struct timer again;
    struct log_tail tail;
    struct processed_marks marks;
    struct log_tail_position noted;
    struct log_tail_position noting; /* that is under way */
    uint64_t behind;                 /* bytes, as the metric has them */
    enum err look_err;
    bool has_looked; /* since something was read */
    bool asks_again; /* for those that wait */
    bool is_settling;
    bool is_stopped;
};

/* --- Position ----------------------------------------------------------------------------------- */

static enum err restore(struct processed_log *self)
{
    struct log_tail_position position;
    struct buffer note;
    buffer_init(&note, STORE_NOTE_VALUE_MAX);
    enum err err = self->store->outcomes->note(self->store, span_from_text(self->note_key), &note);
    bool is_known =
        err == ERR_NONE && processed_note_read(buffer_span(&note), self->settings.path, &position);
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
    position.offset = processed_marks_first_waiting(&self->marks, position.inode, position.offset);
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

/* --- The file ----------------------------------------------------------------------------------- */

static bool waits_in_old_file(const struct processed_log *self)
{
    return processed_marks_first_waiting(&self->marks, self->tail.old.position.inode, UINT64_MAX) <
           UINT64_MAX;
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

/* Some whole lines; how many bytes they are. */
static size_t take_lines(struct processed_log *self, const struct log_tail_lines *lines)
{
    int64_t now_ns = clock_now_ns(self->loop->clock);
    size_t at = 0;
    for (unsigned count = 0;
         at < lines->bytes.len && count < LINES_PER_TURN && processed_marks_have_room(&self->marks);
         count++) {
        struct span rest = span_after(lines->bytes, at);
        size_t end = span_find(rest, '\n');
        size_t len = end < rest.len ? end + 1 : rest.len;
        processed_marks_take(&self->marks, span_of(rest.data, len), lines->inode, lines->offset + at, now_ns);
        at += len;
    }
    return at;
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
    struct processed_runs *runs = &self->marks.runs;
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
    if (self->marks.runs.skipped > 0) {
        metric_add(METRIC_PROCESSED_LOG_SKIPPED, (int64_t)self->marks.runs.skipped);
        log_line(LOG_WARN, "door", "records without a line in the processed log are passed over",
                 "path=%s records=%" PRIu64 " span=%d",
                 log_value(&(struct log_value){0}, span_from_text(self->settings.path)),
                 self->marks.runs.skipped, (int)STORE_SPAN_MAX);
    }
    begin_runs(self);
    if (!self->is_stopped)
        loop_at_end_of_turn(self->loop, &self->step);
}

static enum err settle(struct processed_log *self)
{
    char text[PROCESSED_NOTE_SIZE];
    struct group *group;
    self->noting = safe_position(self);
    struct store_note note = {span_from_text(self->note_key),
                              processed_note_write(text, &self->noting, self->settings.path)};
    enum err err = groups_open(self->groups, self->settings.group, &group);
    if (err == ERR_NONE)
        err = group_settle_unseen(group, self->marks.runs.runs, self->marks.runs.count, &note, on_settled,
                                  self);
    self->is_settling = err == ERR_NONE;
    return err;
}

static bool has_news(const struct processed_log *self)
{
    struct log_tail_position position = safe_position(self);
    return self->marks.runs.count > 0 || !is_same(&position, &self->noted);
}

/* --- Turns -------------------------------------------------------------------------------------- */

static void settle_or_wait(struct processed_log *self)
{
    enum err err = has_news(self) ? settle(self) : ERR_NONE;
    if (err != ERR_NONE) /* again after a while */
        log_line(LOG_WARN, "door", "outcomes of a processed log wait", "path=%s err=%s",
                 log_value(&(struct log_value){0}, span_from_text(self->settings.path)), err_name(err));
    wait_until(self, self->marks.waiting_count > 0 ? ask_again_ns : poll_ns);
}

static void on_step(struct loop_task *step)
{
    struct processed_log *self = LIST_OWNER(step, struct processed_log, step);
    if (self->is_settling || self->is_stopped)
        return;
    if (self->asks_again)
        processed_marks_ask_again(&self->marks, clock_now_ns(self->loop->clock));
    self->asks_again = false;
    bool has_more = read_some(self);
    measure(self);
    if (!has_more || !processed_marks_have_room(&self->marks))
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
    (void)processed_note_key(self->note_key, settings->path, settings->group, settings->sequence_name);
    self->marks.store = store;
    self->marks.sequence = settings->sequence;
    self->marks.topic = settings->topic;
    self->marks.path = settings->path;
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
