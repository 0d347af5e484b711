/* The latest replays are objects, running or over; what is older stands in notes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/replays.h"

#include <stdlib.h>

#include "base/log.h"
#include "store/append_queue.h"
#include "store/range_text.h"

#define NOTE_PREFIX "replay/"

struct kept_replay {
    struct list link; /* the oldest first */
    struct replays *replays;
    struct replay *replay;
    uint64_t id;
    void (*on_started)(void *owner, uint64_t id, enum err err);
    void *owner;
    struct mail started_mail; /* of a dry run */
    bool is_mailed;
    bool is_gone;
};

struct replays {
    struct replay_seams seams;
    struct replays_events events;
    struct list kept;
    uint32_t running;
    uint64_t last_id;
    struct replay_note looked; /* what replays_look read */
    struct append_builder builder;
    struct append_queue queue;
    bool is_due; /* a step was asked for */
};

static struct kept_replay *kept_of(struct list *link)
{
    return LIST_OWNER(link, struct kept_replay, link);
}

static bool is_over(const struct kept_replay *kept)
{
    struct replay_view view;
    replay_look(kept->replay, &view);
    return view.phase == REPLAY_OVER;
}

static void free_kept(struct kept_replay *kept)
{
    list_remove(&kept->link);
    kept->replay = replay_close(kept->replay);
    kept->is_gone = true;
    if (!kept->is_mailed)
        free(kept);
}

/* --- Forgetting ----------------------------------------------------------------------------------- */

static void on_trimmed(void *owner, const struct built_append *append)
{
    (void)owner;
    (void)append; /* the next one that ends tries again */
}

/* Walks the notes of all replays, without their ranges. */
static bool next_note(struct replays *replays, struct buffer *after, struct replay_note *ret_note)
{
    struct store *store = replays->seams.store;
    struct buffer key;
    struct buffer value;
    bool is_found = false;
    buffer_init(&key, STORE_NOTE_KEY_MAX);
    buffer_init(&value, STORE_NOTE_VALUE_MAX);
    while (!is_found) {
        buffer_clear(&key);
        buffer_clear(&value);
        if (store->outcomes->note_next(store, span_from_text(NOTE_PREFIX), buffer_span(after), &key,
                                       &value) != ERR_NONE)
            break;
        buffer_clear(after);
        if (buffer_append(after, buffer_span(&key)) != ERR_NONE)
            break;
        is_found = replay_note_read(buffer_span(&key), buffer_span(&value), ret_note);
    }
    buffer_done(&value);
    buffer_done(&key);
    return is_found;
}

static enum err forget_oldest(struct replays *replays, uint32_t count)
{
    struct buffer after;
    struct replay_note note;
    enum err err = ERR_NONE;
    buffer_init(&after, STORE_NOTE_KEY_MAX);
    while (count > 0 && err == ERR_NONE && next_note(replays, &after, &note)) {
        if (note.state == REPLAY_RUNNING)
            continue;
        err = replay_note_forget(&replays->builder, note.id, STORE_PARTITIONS_MAX);
        count--;
    }
    buffer_done(&after);
    return err;
}

static uint32_t count_ended(struct replays *replays)
{
    struct buffer after;
    struct replay_note note;
    uint32_t ended = 0;
    buffer_init(&after, STORE_NOTE_KEY_MAX);
    while (next_note(replays, &after, &note))
        ended += note.state != REPLAY_RUNNING;
    buffer_done(&after);
    return ended;
}

/* One append takes the notes of two of them; more come with the next that end. */
static void trim_notes(struct replays *replays)
{
    struct built_append *built = NULL;
    uint32_t ended = count_ended(replays);
    if (ended <= REPLAYS_KEPT || replays->queue.count > 0)
        return;
    uint32_t count = ended - REPLAYS_KEPT < 2 ? ended - REPLAYS_KEPT : 2;
    enum err err = forget_oldest(replays, count);
    if (!append_builder_is_empty(&replays->builder) && err == ERR_NONE)
        err = append_builder_finish(&replays->builder, clock_wall_ns(replays->seams.clock) / CLOCK_NS_PER_MS,
                                    &built);
    if (err == ERR_NONE && built != NULL)
        err = append_queue_submit(&replays->queue, built, on_trimmed, replays);
    if (err != ERR_NONE)
        log_line(LOG_WARN, "deadletter", "old replays are not forgotten", "err=%s", err_name(err));
}

static void trim_kept(struct replays *replays)
{
    uint32_t over = 0;
    LIST_EACH (&replays->kept, link)
        over += is_over(kept_of(link));
    LIST_EACH_SAFE (&replays->kept, link) {
        if (over > REPLAYS_KEPT && is_over(kept_of(link))) {
            free_kept(kept_of(link));
            over--;
        }
    }
}

/* --- Events of one replay ------------------------------------------------------------------------- */

static void ask_for_step(struct replays *replays)
{
    if (replays->is_due)
        return;
    replays->is_due = true;
    replays->events.on_due(replays->events.owner, REPLAY_PACE_STEP_NS);
}

static void tell_started(struct kept_replay *kept, enum err err)
{
    if (kept->on_started != NULL)
        kept->on_started(kept->owner, kept->id, err);
    kept->on_started = NULL;
    ask_for_step(kept->replays);
}

static void on_started(void *owner, enum err err)
{
    struct kept_replay *kept = owner;
    tell_started(kept, err);
    if (err != ERR_NONE)
        replay_stop(kept->replay, err_text(err));
}

static void on_over(void *owner)
{
    struct kept_replay *kept = owner;
    kept->replays->running--;
    trim_notes(kept->replays);
}

static void on_started_mail(struct mail *mail)
{
    struct kept_replay *kept = LIST_OWNER(mail, struct kept_replay, started_mail);
    kept->is_mailed = false;
    if (kept->is_gone)
        free(kept);
    else
        tell_started(kept, ERR_NONE);
}

/* --- Beginning ------------------------------------------------------------------------------------ */

static enum err
add(struct replays *replays, const struct replay_plan *plan, struct why *why, struct kept_replay **ret_kept)
{
    struct kept_replay *kept = calloc(1, sizeof *kept);
    if (kept == NULL)
        return why_set(why, ERR_MEMORY, "%s", err_text(ERR_MEMORY));
    struct replay_events events = {on_started, on_over, kept};
    kept->replays = replays;
    kept->id = plan->note->id;
    kept->started_mail.on_delivered = on_started_mail;
    enum err err = replay_new(&replays->seams, plan, &events, why, &kept->replay);
    if (err != ERR_NONE) {
        free(kept);
        return err;
    }
    list_insert_last(&replays->kept, &kept->link);
    replays->running++;
    *ret_kept = kept;
    return ERR_NONE;
}

static bool set_text(char *to, size_t size, struct span text)
{
    if (text.len >= size || span_find(text, 0) < text.len)
        return false;
    if (text.len > 0)
        memcpy(to, text.data, text.len);
    to[text.len] = '\0';
    return true;
}

static enum err note_of(struct replays *replays,
                        const struct replay_order *order,
                        struct why *why,
                        struct replay_note *ret_note)
{
    struct replay_note note = {
        .id = replays->last_id + 1,
        .state = REPLAY_RUNNING,
        .rate = order->rate < REPLAY_RATE_MAX ? order->rate : REPLAY_RATE_MAX,
        .is_last_retry = order->is_last_retry,
        .started_ms = clock_wall_ns(replays->seams.clock) / CLOCK_NS_PER_MS,
    };
    if (!store_topic_name_is_legal(order->topic) || !set_text(note.topic, sizeof note.topic, order->topic))
        return why_set(why, ERR_BAD_INPUT, "topic: %s", store_topic_name_rule);
    if ((order->delivery.len > 0 && !store_topic_name_is_legal(order->delivery)) ||
        !set_text(note.delivery, sizeof note.delivery, order->delivery))
        return why_set(why, ERR_BAD_INPUT, "delivery: %s", store_topic_name_rule);
    if (!set_text(note.reason, sizeof note.reason, order->reason))
        return why_set(why, ERR_BAD_INPUT, "reason: a pattern of at most %d bytes", (int)LETTER_PATTERN_MAX);
    if (!set_text(note.key, sizeof note.key, order->key))
        return why_set(why, ERR_BAD_INPUT, "key: a pattern of at most %d bytes", (int)LETTER_PATTERN_MAX);
    struct span by = order->by;
    by.len = by.len < STORE_BY_MAX ? by.len : STORE_BY_MAX;
    if (!set_text(note.by, sizeof note.by, by))
        note.by[0] = '\0';
    *ret_note = note;
    return ERR_NONE;
}

/* Two over one range would hand the same letters out twice. */
static enum err
refuse_second(const struct replays *replays, const struct replay_order *order, struct why *why)
{
    if (replays->running >= REPLAYS_MAX)
        return why_set(why, ERR_TOO_MANY, "more than %d replays run", (int)REPLAYS_MAX);
    if (order->is_dry)
        return ERR_NONE;
    LIST_EACH (&replays->kept, link) {
        struct replay_view view;
        replay_look(kept_of(link)->replay, &view);
        if (view.phase != REPLAY_OVER && !view.is_dry && span_equal_text(order->topic, view.note->topic))
            return why_set(why, ERR_EXISTS, "replay %08llu of %s runs: wait for its end, or stop it",
                           (unsigned long long)kept_of(link)->id, view.note->topic);
    }
    return ERR_NONE;
}

static enum err start_note(struct replays *replays,
                           const struct replay_order *order,
                           const struct replay_note *note,
                           struct why *why,
                           struct kept_replay **ret_kept)
{
    struct store *store = replays->seams.store;
    struct store_topic topic;
    struct record_scan_range *ranges;
    enum err err = store->ops->topic_open(store, order->topic, 0, false, &topic);
    if (err != ERR_NONE)
        return why_set(why, err, "%s: %s", note->topic, err_text(err));
    err = range_text_parse(store, &topic, order->from, order->to, why, &ranges);
    if (err != ERR_NONE)
        return err;
    err = add(replays, &(struct replay_plan){note, ranges, order->is_dry, false}, why, ret_kept);
    free(ranges);
    return err;
}

enum err replays_start(struct replays *replays,
                       const struct replay_order *order,
                       void (*on_started_)(void *owner, uint64_t id, enum err err),
                       void *owner,
                       struct why *why,
                       uint64_t *ret_id)
{
    struct replay_note note = {.id = 0};
    struct kept_replay *kept = NULL;
    enum err err = refuse_second(replays, order, why);
    if (err == ERR_NONE)
        err = note_of(replays, order, why, &note);
    if (err == ERR_NONE)
        err = start_note(replays, order, &note, why, &kept);
    if (err != ERR_NONE)
        return err;
    check(kept != NULL);
    replays->last_id = note.id;
    kept->on_started = on_started_;
    kept->owner = owner;
    trim_kept(replays);
    if (order->is_dry) {
        kept->is_mailed = true;
        mailbox_post(replays->seams.mailbox, &kept->started_mail);
    }
    *ret_id = note.id;
    return ERR_NONE;
}

void replays_forget_owner(struct replays *replays, const void *owner)
{
    LIST_EACH (&replays->kept, link)
        if (kept_of(link)->owner == owner)
            kept_of(link)->on_started = NULL;
}

/* --- After a restart ------------------------------------------------------------------------------ */

static enum err go_on(struct replays *replays, const struct replay_note *note, struct why *why)
{
    struct store *store = replays->seams.store;
    struct store_topic topic;
    struct kept_replay *kept;
    enum err err = store->ops->topic_open(store, span_from_text(note->topic), 0, false, &topic);
    if (err != ERR_NONE)
        return why_set(why, err, "%s", err_text(err));
    struct record_scan_range *ranges = calloc(topic.partitions, sizeof *ranges);
    if (ranges == NULL)
        return why_set(why, ERR_MEMORY, "%s", err_text(ERR_MEMORY));
    err = replay_note_read_ranges(store, note->id, ranges, topic.partitions);
    if (err != ERR_NONE)
        err = why_set(why, err, "its ranges cannot be read: %s", err_text(err));
    else
        err = add(replays, &(struct replay_plan){note, ranges, false, true}, why, &kept);
    free(ranges);
    return err;
}

static void recover(struct replays *replays)
{
    struct buffer after;
    struct replay_note note;
    buffer_init(&after, STORE_NOTE_KEY_MAX);
    while (next_note(replays, &after, &note)) {
        struct why why = {""};
        replays->last_id = note.id > replays->last_id ? note.id : replays->last_id;
        if (note.state != REPLAY_RUNNING)
            continue;
        enum err err = go_on(replays, &note, &why);
        log_line(err == ERR_NONE ? LOG_INFO : LOG_ERROR, "deadletter",
                 err == ERR_NONE ? "replay goes on" : "replay cannot go on",
                 "replay=%08llu topic=%s why=\"%s\"", (unsigned long long)note.id, note.topic, why.text);
    }
    buffer_done(&after);
    if (replays->running > 0)
        ask_for_step(replays);
}

enum err replays_new(const struct replay_seams *seams,
                     const struct replays_events *events,
                     struct replays **ret_replays)
{
    struct replays *replays = calloc(1, sizeof *replays);
    if (replays == NULL)
        return ERR_MEMORY;
    replays->seams = *seams;
    replays->events = *events;
    list_init(&replays->kept);
    append_builder_init(&replays->builder, seams->store);
    append_queue_init(&replays->queue, seams->store, seams->mailbox);
    recover(replays);
    *ret_replays = replays;
    return ERR_NONE;
}

struct replays *replays_free(struct replays *replays)
{
    if (replays == NULL)
        return NULL;
    LIST_EACH_SAFE (&replays->kept, link)
        free_kept(kept_of(link));
    append_queue_done(&replays->queue);
    append_builder_done(&replays->builder);
    free(replays);
    return NULL;
}

/* --- While they run ------------------------------------------------------------------------------- */

void replays_step(struct replays *replays)
{
    bool wants_more = false;
    replays->is_due = false;
    LIST_EACH (&replays->kept, link) {
        struct replay_view view;
        replay_look(kept_of(link)->replay, &view);
        bool is_before = view.phase < REPLAY_GIVING && !view.is_dry;
        wants_more = replay_step(kept_of(link)->replay) || is_before || wants_more;
    }
    if (wants_more)
        ask_for_step(replays);
}

static struct kept_replay *find(struct replays *replays, uint64_t id)
{
    LIST_EACH (&replays->kept, link)
        if (kept_of(link)->id == id)
            return kept_of(link);
    return NULL;
}

enum err replays_stop(struct replays *replays, uint64_t id)
{
    struct kept_replay *kept = find(replays, id);
    if (kept == NULL || is_over(kept))
        return ERR_NOT_FOUND;
    replay_stop(kept->replay, "an operator stopped it");
    return ERR_NONE;
}

static enum err read_old(struct replays *replays, uint64_t id, struct replay_view *ret_view)
{
    char key[sizeof NOTE_PREFIX + REPLAY_ID_SIZE] = NOTE_PREFIX;
    struct buffer value;
    replay_id_put(key + sizeof NOTE_PREFIX - 1, id);
    buffer_init(&value, STORE_NOTE_VALUE_MAX);
    enum err err = replays->seams.store->outcomes->note(replays->seams.store, span_from_text(key), &value);
    if (err == ERR_NONE && !replay_note_read(span_from_text(key), buffer_span(&value), &replays->looked))
        err = ERR_NOT_FOUND;
    buffer_done(&value);
    if (err != ERR_NONE)
        return err;
    const struct replay_note *note = &replays->looked;
    *ret_view = (struct replay_view){
        .note = note,
        .phase = REPLAY_OVER,
        .wanted = note->wanted,
        .settled = note->settled,
        .left = note->wanted > note->settled ? note->wanted - note->settled : 0,
        .failed_again = note->failed_again,
        .why = note->why,
    };
    return ERR_NONE;
}

enum err replays_look(struct replays *replays,
                      uint64_t id,
                      struct replay_view *ret_view,
                      const struct replay **ret_replay)
{
    struct kept_replay *kept = find(replays, id);
    *ret_replay = kept == NULL ? NULL : kept->replay;
    if (kept == NULL)
        return read_old(replays, id, ret_view);
    replay_look(kept->replay, ret_view);
    return ERR_NONE;
}

uint64_t replays_next(struct replays *replays, uint64_t after_id)
{
    struct buffer after;
    struct replay_note note;
    uint64_t next = 0;
    buffer_init(&after, STORE_NOTE_KEY_MAX);
    while (next == 0 && next_note(replays, &after, &note))
        next = note.id > after_id ? note.id : 0;
    buffer_done(&after);
    LIST_EACH (&replays->kept, link) {
        uint64_t id = kept_of(link)->id;
        next = id > after_id && (next == 0 || id < next) ? id : next;
    }
    return next;
}

/* --- For parking ---------------------------------------------------------------------------------- */

static bool on_failed_again(void *owner, uint32_t group, const struct store_position *position)
{
    struct replays *replays = owner;
    LIST_EACH (&replays->kept, link) {
        struct replay_view view;
        if (!replay_fail_again(kept_of(link)->replay, group, position))
            continue;
        replay_look(kept_of(link)->replay, &view);
        return view.note->is_last_retry;
    }
    return false;
}

static enum err on_append(void *owner, struct append_builder *builder)
{
    struct replays *replays = owner;
    enum err err = ERR_NONE;
    LIST_EACH (&replays->kept, link)
        err = err == ERR_NONE ? replay_add_note(kept_of(link)->replay, builder) : err;
    return err;
}

struct parking_replays replays_for_parking(struct replays *replays)
{
    return (struct parking_replays){on_failed_again, on_append, replays};
}
