/* Which segments go: by age, by size, by the ceiling of the whole log, never what a named reader still needs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/retention.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/metric.h"
#include "journal/capacity.h"
#include "journal/hold.h"
#include "journal/internal_frame.h"
#include "journal/retire.h"
#include "journal/seal.h"

/*
 * 1. The oldest sealed segment is judged: it goes when all topics in it have expired there, or when the log is at its
 *    ceiling; a held record keeps it.
 * 2. A RETIRE frame says so, with the new first offsets. Only when it is synced do readers see less, and the file is
 *    given away (recycled by prepare.c, or removed).
 * 3. Its index file stays for receipts.keep, so that numbers of producers are still known.
 */

/* The table is kept smaller by those that may be rolled into before the helper comes by again. */
enum { ENTRIES_AHEAD = JOURNAL_PREPARED_MIN + 2 };

#define CLOCK_JUMP_NS    (300 * CLOCK_NS_PER_S)
#define CLOCK_SUSPEND_NS (3600 * CLOCK_NS_PER_S)

/* --- Judging the oldest segment --------------------------------------------------------------- */

struct judgement {
    struct journal *journal;
    int64_t now_ns;
    bool age_counts;
    bool is_forced;   /* the log's ceiling is reached: what has not expired goes too */
    bool lacks_space; /* the disk is full: so does what may be dropped */
    bool is_kept;
    struct why holder;
    uint32_t topic; /* the sums below are of this topic */
    uint64_t topic_bytes;
    int64_t topic_last_ns;
    bool topic_is_held;
    uint64_t dropped; /* records that a policy gives up although a reader needs them */
    struct buffer starts;
    enum err err;
};

static uint64_t bytes_of_topic(const struct topic *topic)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < topic->public.partitions; i++)
        bytes += topic->partitions[i].bytes;
    return bytes;
}

/* The sums of one topic are complete: has it expired in this segment? */
static void judge_topic(struct judgement *judgement)
{
    if (judgement->topic_bytes == 0)
        return;
    const struct topic *topic = judgement->journal->catalog.topics[judgement->topic];
    const struct journal_topic_settings *settings =
        journal_settings_of_topic(&judgement->journal->settings, topic->public.name);
    bool is_old = settings->retention_age_ns > 0 && judgement->age_counts &&
                  judgement->now_ns - judgement->topic_last_ns > settings->retention_age_ns;
    bool is_large = settings->retention_size > 0 &&
                    bytes_of_topic(topic) >= settings->retention_size + judgement->topic_bytes;
    bool drops = settings->when_full == JOURNAL_DROP_OLDEST;
    bool is_consumed = settings->consumed && !judgement->topic_is_held &&
                       hold_has_group(judgement->journal, topic->public.name);
    bool is_over = is_large || judgement->is_forced || (drops && judgement->lacks_space);
    bool may_drop = drops && is_over;
    if (judgement->topic_is_held && !may_drop)
        judgement->is_kept = true;
    if (!is_old && !is_over && !is_consumed)
        judgement->is_kept = true;
}

static void note_start(struct judgement *judgement, const struct index_partition *partition)
{
    if (judgement->err == ERR_NONE)
        judgement->err = buffer_reserve(&judgement->starts, RETIRE_START_SIZE);
    if (judgement->err != ERR_NONE)
        return;
    struct retire_start start = {
        .topic = partition->topic,
        .partition = partition->partition,
        .offset = partition->summary.end_offset,
        .bytes = partition->summary.bytes,
    };
    retire_start_write(judgement->starts.data + judgement->starts.len, &start);
    judgement->starts.len += RETIRE_START_SIZE;
}

static void on_partition(void *owner, const struct index_partition *partition)
{
    struct judgement *judgement = owner;
    if (partition->summary.bytes == 0 || partition->topic >= judgement->journal->catalog.topic_count)
        return;
    if (partition->topic != judgement->topic) {
        judge_topic(judgement);
        judgement->topic = partition->topic;
        judgement->topic_bytes = 0;
        judgement->topic_last_ns = INT64_MIN;
        judgement->topic_is_held = false;
    }
    judgement->topic_bytes += partition->summary.bytes;
    if (partition->summary.last_ns > judgement->topic_last_ns)
        judgement->topic_last_ns = partition->summary.last_ns;
    struct hold hold;
    if (hold_find(judgement->journal, partition, &hold)) {
        judgement->topic_is_held = true;
        judgement->dropped += hold.records;
        (void)why_set(&judgement->holder, ERR_FULL, "group %s has not completed %s/%u from offset %llu",
                      hold.name, judgement->journal->catalog.topics[partition->topic]->public.name,
                      partition->partition, (unsigned long long)hold.offset);
    }
    note_start(judgement, partition);
}

/* The view lock is held: partitions and holds stand still. One segment's directory is read under it. */
static enum err judge(struct judgement *judgement, struct segment *segment)
{
    buffer_init(&judgement->starts, (size_t)RETIRE_START_SIZE * (judgement->journal->catalog.slot_count + 1));
    judgement->topic = UINT32_MAX;
    enum err err = index_file_each_partition(segment->index_file, on_partition, judgement);
    err = segment_index_outcome(segment, err);
    if (err == ERR_NONE && judgement->topic != UINT32_MAX)
        judge_topic(judgement);
    return err == ERR_NONE ? judgement->err : err;
}

/* --- Retiring ----------------------------------------------------------------------------------- */

/* One frame for each lot of starts; the last one names the segment. MEMORY: some of them are in the list. */
static enum err make_retire(struct segment *segment, struct span starts, struct list *frames)
{
    bool is_last = false;
    while (!is_last) {
        size_t len = starts.len < RETIRE_STARTS_MAX ? starts.len : RETIRE_STARTS_MAX;
        is_last = len == starts.len;
        size_t payload_len;
        uint8_t *payload =
            retire_payload(is_last ? segment->number : 0, span_of(starts.data, len), &payload_len);
        if (payload == NULL)
            return ERR_MEMORY;
        struct internal_frame *frame =
            internal_frame_new(FRAME_RETIRE, is_last ? segment : NULL, span_of(payload, payload_len));
        free(payload);
        if (frame == NULL)
            return ERR_MEMORY;
        list_insert_last(frames, &frame->link);
        starts = span_after(starts, len);
    }
    return ERR_NONE;
}

/* All of them, or none. */
static void queue_retire(struct journal *journal, struct list *frames, bool goes)
{
    LIST_EACH_SAFE (frames, link) {
        struct internal_frame *frame = LIST_OWNER(link, struct internal_frame, link);
        list_remove(link);
        if (goes)
            internal_frame_queue(journal, frame);
        else
            free(frame);
    }
}

/* --- The step ------------------------------------------------------------------------------------ */

/* The first whole segment that is not the active one; NULL when none can be judged now. The view lock is held. */
static struct segment *oldest_sealed(const struct journal *journal)
{
    for (uint32_t i = 0; i < journal->table.count; i++) {
        struct segment *segment = journal->table.segments[i];
        if (segment->state == SEGMENT_INDEX_ONLY || segment->state == SEGMENT_RETIRING)
            continue;
        return segment->state == SEGMENT_SEALED ? segment : NULL;
    }
    return NULL;
}

static bool some_is_retiring(const struct journal *journal)
{
    for (uint32_t i = 0; i < journal->table.count; i++)
        if (journal->table.segments[i]->state == SEGMENT_RETIRING)
            return true;
    return false;
}

/* A wall clock that jumped would expire everything at once: age stops counting for a while. */
static bool age_counts(struct journal *journal)
{
    int64_t now_ns = clock_now_ns(journal->seams.clock);
    int64_t offset_ns = clock_wall_ns(journal->seams.clock) - now_ns;
    int64_t jump_ns = offset_ns - journal->wall_offset_ns;
    if (jump_ns > CLOCK_JUMP_NS || jump_ns < -CLOCK_JUMP_NS) {
        journal->wall_offset_ns = offset_ns;
        journal->age_suspended_until_ns = now_ns + CLOCK_SUSPEND_NS;
        journal_tell(journal, JOURNAL_EVENT_CLOCK_JUMP,
                     "jump_seconds=%lld age_retention=suspended for_seconds=%lld",
                     (long long)(jump_ns / CLOCK_NS_PER_S), (long long)(CLOCK_SUSPEND_NS / CLOCK_NS_PER_S));
    }
    return now_ns >= journal->age_suspended_until_ns;
}

static struct segment *oldest_index_only(const struct journal *journal)
{
    for (uint32_t i = 0; i < journal->table.count; i++)
        if (journal->table.segments[i]->state == SEGMENT_INDEX_ONLY)
            return journal->table.segments[i];
    return NULL;
}

/* Index files of retired segments whose time is over. */
static bool forget_index(struct journal *journal)
{
    journal_lock(&journal->view);
    struct segment *segment = oldest_index_only(journal);
    int64_t age_ns = segment == NULL ? 0 : clock_wall_ns(journal->seams.clock) - segment->last_ns;
    bool is_over = journal->table.count > journal_settings_listed_max(&journal->settings) ||
                   !capacity_has_entries(journal, true, ENTRIES_AHEAD) ||
                   journal->index_only_bytes > journal->settings.receipts_size_max ||
                   (age_ns > journal->settings.receipts_keep_ns && age_counts(journal));
    bool goes = segment != NULL && list_is_empty(&segment->link) && segment->references == 0 && is_over;
    if (goes)
        segment_table_remove(&journal->table, segment);
    journal_unlock(&journal->view);
    if (!goes)
        return false;
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, segment->number, ".index");
    struct fs_file *file;
    struct fs_stat stat = {0};
    if (fs_open(journal->seams.fs, name, FS_OPEN_READ, &file) == ERR_NONE) {
        (void)file->ops->stat(file, &stat);
        fs_close(file);
    }
    journal->index_only_bytes -=
        stat.size < journal->index_only_bytes ? stat.size : journal->index_only_bytes;
    (void)journal->seams.fs->ops->unlink(journal->seams.fs, name);
    segment_free(segment);
    return true;
}

static void
tell_dropped(struct journal *journal, const struct segment *segment, const struct judgement *judgement)
{
    if (judgement->dropped == 0)
        return;
    metric_add(METRIC_RECORDS_DROPPED, (int64_t)judgement->dropped);
    journal_tell(journal, JOURNAL_EVENT_DROPPED, "segment=%llu records=%llu policy=drop_oldest reason=\"%s\"",
                 (unsigned long long)segment->number, (unsigned long long)judgement->dropped,
                 judgement->holder.text);
}

/* Judges the oldest; true when it goes. Also run to learn who holds it. */
static bool judge_oldest(struct journal *journal, bool retires, struct why *ret_holder)
{
    struct judgement judgement = {
        .journal = journal,
        .now_ns = clock_wall_ns(journal->seams.clock),
        .age_counts = age_counts(journal),
    };
    journal_lock(&journal->queue);
    bool lacks_space = journal->lacks_space && journal->is_blocked;
    journal_unlock(&journal->queue);
    journal_lock(&journal->view);
    struct segment *segment = oldest_sealed(journal);
    bool goes = false;
    if (segment != NULL && segment->index_file != NULL) {
        judgement.lacks_space = lacks_space;
        judgement.is_forced = !capacity_has_segments(journal, false, JOURNAL_PREPARED_MIN + 1) ||
                              !capacity_has_entries(journal, false, ENTRIES_AHEAD);
        goes = judge(&judgement, segment) == ERR_NONE && !judgement.is_kept;
    }
    struct list frames;
    list_init(&frames);
    enum err err = goes && retires ? make_retire(segment, buffer_span(&judgement.starts), &frames) : ERR_NONE;
    goes = goes && err == ERR_NONE;
    if (goes && retires)
        segment_move(segment, SEGMENT_RETIRING);
    journal_unlock(&journal->view);
    queue_retire(journal, &frames, goes);
    if (goes && retires)
        tell_dropped(journal, segment, &judgement);
    if (err != ERR_NONE)
        journal_put_off(journal, err, "retiring a segment");
    if (ret_holder != NULL)
        *ret_holder = judgement.holder;
    buffer_done(&judgement.starts);
    return goes;
}

/* The file of the oldest segment's index is opened outside the view lock. */
static void open_oldest_index(struct journal *journal)
{
    journal_lock(&journal->view);
    struct segment *segment = oldest_sealed(journal);
    bool is_missing = segment != NULL && segment->index == NULL && segment->index_file == NULL;
    if (is_missing)
        segment->references++;
    journal_unlock(&journal->view);
    if (!is_missing)
        return;
    enum err err = seal_open_index(journal, segment);
    if (err != ERR_NONE)
        journal_put_off(journal, err, "opening an index file");
    journal_lock(&journal->view);
    segment->references--;
    journal_unlock(&journal->view);
}

bool retention_step(struct journal *journal)
{
    if (forget_index(journal))
        return true;
    open_oldest_index(journal);
    journal_lock(&journal->view);
    bool waits = some_is_retiring(journal);
    journal_unlock(&journal->view);
    return !waits && judge_oldest(journal, true, NULL);
}

bool retention_is_within(struct journal *journal, uint32_t prepared)
{
    journal_lock(&journal->view);
    bool is_within = capacity_has_segments(journal, true, prepared);
    journal_unlock(&journal->view);
    return is_within;
}

enum retention_room retention_room(struct journal *journal, uint32_t prepared, struct why *ret_holder)
{
    journal_lock(&journal->view);
    bool is_soon = some_is_retiring(journal);
    bool has_discarded = !list_is_empty(&journal->discarded);
    bool has_room = capacity_has_segments(journal, true, prepared + 1) &&
                    capacity_has_entries(journal, false, prepared + 1);
    journal_unlock(&journal->view);
    if (has_discarded)
        return RETENTION_ROOM;
    if (is_soon && (prepared > 0 || !has_room))
        return RETENTION_WAIT;
    if (has_room)
        return RETENTION_ROOM;
    return judge_oldest(journal, false, ret_holder) ? RETENTION_WAIT : RETENTION_NONE;
}
