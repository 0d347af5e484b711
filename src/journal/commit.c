/* The way of an append: queued, put into a group, written, synced, made visible, posted back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/metric.h"
#include "journal/journal_impl.h"

/*
 * 1. commit_append queues it; the writer is woken, or the loop commits inline at the end of its turn (commit_release).
 * 2. journal_step, with the token: pick a group's worth, make room (roll to the next segment), build, write, sync.
 * 3. publish: under the view lock, readers see the new ends; then each append is posted back to its loop.
 *
 * No prepared segment: the appends stay queued and the writer waits for the helper. Failed write or sync: BROKEN, and
 * everything that waits ends with it.
 */

enum {
    RUNS_FIXED = 24,
    RUN_SIZE = 16,
    IDENTITIES_FIXED = 16,
    IDENTITY_SIZE = 16,
    SMALL_FRAMES_MAX =
        160 * 1024, /* what one append, or the journal's own frames, may need of the scratch memory */
};

/* --- Queueing ------------------------------------------------------------------------------- */

static bool is_admitted(const struct journal *journal, const struct store_append *append)
{
    if (journal->inflight_count == 0 || append->part_count == 0)
        return true;
    uint64_t max = append->len <= JOURNAL_SMALL_APPEND ? JOURNAL_INFLIGHT_SMALL_MAX : JOURNAL_INFLIGHT_MAX;
    return journal->inflight_bytes + append->len <= max;
}

static enum err refuse(const struct journal *journal, const struct store_append *append)
{
    if (append->len > journal->settings.append_size_max)
        return ERR_TOO_LARGE;
    if (journal->state == STORE_FULL)
        return ERR_FULL;
    if (journal->state == STORE_BROKEN)
        return ERR_BROKEN;
    if (journal->stopping)
        return ERR_DRAINING;
    return is_admitted(journal, append) ? ERR_NONE : ERR_BUSY;
}

enum err commit_append(struct store *store, struct store_append *append)
{
    struct journal *journal = journal_of(store);
    check(append->reply_to != NULL && append->len % FRAME_ALIGNMENT == 0);
    check(append->run_count <= STORE_RUNS_MAX && append->identity_count <= STORE_IDENTITIES_MAX);
    journal_lock(&journal->queue);
    enum err err = refuse(journal, append);
    if (err == ERR_NONE) {
        bool is_express = append->alone && append->len <= JOURNAL_SMALL_APPEND;
        list_insert_last(is_express ? &journal->express : &journal->bulk, &append->mail.link);
        journal->inflight_bytes += append->len;
        journal->inflight_count++;
        journal->held_count += append->held ? 1 : 0;
        metric_set(METRIC_INFLIGHT_BYTES, (int64_t)journal->inflight_bytes);
        /* The first append of a turn may be committed inline; a second one means that a group is worth more. */
        if (!append->held || journal->held_count > 1) {
            journal->held_count = 0;
            check(pthread_cond_signal(&journal->writer_wakes) == 0);
        }
    }
    journal_unlock(&journal->queue);
    return err;
}

static bool is_inline_worthy(const struct journal *journal)
{
    return journal->inflight_count == 1 && journal->inflight_bytes <= JOURNAL_SMALL_APPEND &&
           journal->state == STORE_OPEN && !journal->stopping && !journal->is_blocked && journal->is_threaded;
}

static void wake_writer(struct journal *journal)
{
    journal_lock(&journal->queue);
    check(pthread_cond_signal(&journal->writer_wakes) == 0);
    journal_unlock(&journal->queue);
}

void commit_release(struct store *store, bool alone)
{
    struct journal *journal = journal_of(store);
    journal_lock(&journal->queue);
    bool is_held = journal->held_count > 0;
    bool is_worthy = is_held && alone && is_inline_worthy(journal);
    journal->held_count = 0;
    journal_unlock(&journal->queue);
    if (!is_held)
        return;
    if (!is_worthy || pthread_mutex_trylock(&journal->token) != 0) {
        wake_writer(journal);
        return;
    }
    bool is_quick = journal->writer.sync_ns < JOURNAL_INLINE_SYNC_NS;
    bool was_covered = atomic_load(&journal->covered);
    if (is_quick && commit_step(journal))
        metric_add(METRIC_COMMITS_INLINE, 1);
    journal_unlock(&journal->token);
    if (!is_quick || was_covered)
        wake_writer(journal); /* to commit; or to cover this group when the log stays idle */
}

enum err
commit_internal(struct journal *journal, enum frame_kind kind, struct segment *segment, struct span payload)
{
    struct internal_frame *frame = malloc(sizeof *frame + payload.len);
    if (frame == NULL)
        return ERR_MEMORY;
    frame->kind = kind;
    frame->segment = segment;
    frame->payload_len = payload.len;
    memcpy(frame->payload, payload.data, payload.len);
    journal_lock(&journal->queue);
    list_insert_last(&journal->internal, &frame->link);
    check(pthread_cond_signal(&journal->writer_wakes) == 0);
    journal_unlock(&journal->queue);
    return ERR_NONE;
}

/* --- Picking -------------------------------------------------------------------------------- */

static size_t runs_len(const struct store_append *append)
{
    if (append->run_count == 0 && append->producer.len == 0)
        return 0;
    return frame_padded(FRAME_HEADER_SIZE + RUNS_FIXED + (size_t)append->run_count * RUN_SIZE +
                        append->producer.len);
}

static size_t identities_len(const struct store_append *append)
{
    if (append->identity_count == 0)
        return 0;
    return frame_padded(FRAME_HEADER_SIZE + IDENTITIES_FIXED +
                        (size_t)append->identity_count * IDENTITY_SIZE);
}

static size_t small_len(const struct store_append *append)
{
    return runs_len(append) + identities_len(append);
}

struct pick {
    uint64_t len;     /* of all frames */
    size_t small_len; /* of those that need scratch memory */
    int parts;
};

/* Whether the append joins the group; the first one always does. */
static bool joins(struct pick *pick, const struct store_append *append, uint64_t max)
{
    size_t small = small_len(append);
    size_t scratch = small + (append->len <= WRITER_COPY_MAX ? append->len : 0);
    bool fits = pick->len + append->len + small <= max && pick->parts + 4 <= WRITER_PARTS_MAX &&
                pick->small_len + scratch <= WRITER_SCRATCH_SIZE - SMALL_FRAMES_MAX;
    if (pick->parts > 0 && !fits)
        return false;
    pick->len += append->len + small;
    pick->small_len += scratch;
    pick->parts += 2;
    return true;
}

static void pick_from(struct journal *journal, struct list *queue, struct pick *pick, uint64_t max)
{
    while (!list_is_empty(queue)) {
        struct store_append *append = LIST_OWNER(queue->next, struct store_append, mail.link);
        if (!joins(pick, append, max))
            return;
        list_remove(&append->mail.link);
        list_insert_last(&journal->group, &append->mail.link);
    }
}

/* Internal frames come first: a TOPIC stands before its batches. The queue lock is held. */
static void pick_internal(struct journal *journal, struct pick *pick)
{
    while (!list_is_empty(&journal->internal)) {
        struct internal_frame *frame = LIST_OWNER(journal->internal.next, struct internal_frame, link);
        size_t len = frame_padded(FRAME_HEADER_SIZE + frame->payload_len);
        if (pick->small_len > 0 && pick->small_len + len > SMALL_FRAMES_MAX)
            return;
        list_remove(&frame->link);
        list_insert_last(&journal->group_frames, &frame->link);
        pick->len += len;
        pick->small_len += len;
    }
}

static struct pick pick_group(struct journal *journal)
{
    struct pick pick = {0};
    journal_lock(&journal->queue);
    pick_internal(journal, &pick);
    if (list_is_empty(&journal->internal)) {
        pick_from(journal, &journal->express, &pick, JOURNAL_GROUP_MAX / 2);
        pick_from(journal, &journal->bulk, &pick, JOURNAL_GROUP_MAX);
    }
    journal_unlock(&journal->queue);
    return pick;
}

/* What could not be written for lack of a segment goes back to the front, and waits for one. */
static void put_back(struct journal *journal)
{
    journal_lock(&journal->queue);
    journal->is_blocked = list_is_empty(&journal->prepared);
    list_move_all(&journal->group, &journal->bulk);
    list_move_all(&journal->bulk, &journal->group);
    list_move_all(&journal->group_frames, &journal->internal);
    list_move_all(&journal->internal, &journal->group_frames);
    journal_unlock(&journal->queue);
}

/* --- Building ------------------------------------------------------------------------------- */

static void put_runs(struct journal *journal, const struct store_append *append, uint8_t flags)
{
    size_t len = RUNS_FIXED + (size_t)append->run_count * RUN_SIZE + append->producer.len;
    uint64_t position;
    uint8_t *frame = writer_put_small(&journal->writer, len, &position);
    uint8_t *payload = frame + FRAME_HEADER_SIZE;
    bytes_put_le32(payload, append->sequence);
    bytes_put_le32(payload + 4, append->run_count);
    bytes_put_le64(payload + 8, append->producer_last);
    bytes_put_le32(payload + 16, (uint32_t)append->producer.len);
    uint8_t *at = payload + RUNS_FIXED;
    for (uint32_t i = 0; i < append->run_count; i++, at += RUN_SIZE) {
        bytes_put_le64(at, append->runs[i].from);
        bytes_put_le64(at + 8, append->runs[i].count);
    }
    if (append->producer.len > 0)
        memcpy(at, append->producer.data, append->producer.len);
    writer_frame(&journal->writer, frame, FRAME_RUNS, flags, FRAME_HEADER_SIZE + len);
}

static void put_identities(struct journal *journal, const struct store_append *append, int64_t wall_ns)
{
    size_t len = IDENTITIES_FIXED + (size_t)append->identity_count * IDENTITY_SIZE;
    uint64_t position;
    uint8_t *frame = writer_put_small(&journal->writer, len, &position);
    uint8_t *payload = frame + FRAME_HEADER_SIZE;
    bytes_put_le32(payload, append->identity_count);
    bytes_put_le64(payload + 8, (uint64_t)wall_ns);
    memcpy(payload + IDENTITIES_FIXED, append->identities, (size_t)append->identity_count * IDENTITY_SIZE);
    writer_frame(&journal->writer, frame, FRAME_IDENTITIES, 0, FRAME_HEADER_SIZE + len);
}

/* The log gives the offsets, in the order of its groups. */
static void assign_offsets(struct journal *journal, struct store_append *append)
{
    journal_lock(&journal->view);
    for (uint32_t i = 0; i < append->part_count; i++) {
        struct store_part *part = &append->parts[i];
        struct partition *partition = catalog_partition(&journal->catalog, part->topic, part->partition);
        check(partition != NULL && part->position >= STORE_PART_HEADROOM);
        part->ret_base_offset = partition->next;
        partition->next += part->records;
    }
    journal_unlock(&journal->view);
}

static void put_append(struct journal *journal, struct store_append *append, int64_t wall_ns)
{
    assign_offsets(journal, append);
    bool has_runs = runs_len(append) > 0;
    bool has_identities = append->identity_count > 0;
    for (uint32_t i = 0; i < append->part_count; i++) {
        struct store_part *part = &append->parts[i];
        bytes_put_be64(append->bytes + part->position, part->ret_base_offset);
        uint8_t *frame = append->bytes + part->position - STORE_PART_HEADROOM;
        struct frame_batch batch = {part->topic, part->partition, wall_ns, part->records, {0}};
        frame_batch_write(frame + FRAME_HEADER_SIZE, &batch);
        bool is_last = i + 1 == append->part_count && !has_runs && !has_identities;
        writer_frame(&journal->writer, frame, FRAME_BATCH, is_last ? 0 : FRAME_MORE,
                     STORE_PART_HEADROOM + part->len);
    }
    append->place = writer_put(&journal->writer, append->bytes, append->len);
    if (has_runs)
        put_runs(journal, append, has_identities ? FRAME_MORE : 0);
    if (has_identities)
        put_identities(journal, append, wall_ns);
}

static void build(struct journal *journal, int64_t wall_ns)
{
    writer_group_begin(&journal->writer);
    LIST_EACH (&journal->group_frames, link) {
        struct internal_frame *internal = LIST_OWNER(link, struct internal_frame, link);
        uint64_t position;
        uint8_t *frame = writer_put_small(&journal->writer, internal->payload_len, &position);
        memcpy(frame + FRAME_HEADER_SIZE, internal->payload, internal->payload_len);
        writer_frame(&journal->writer, frame, internal->kind, 0, FRAME_HEADER_SIZE + internal->payload_len);
    }
    LIST_EACH (&journal->group, link)
        put_append(journal, LIST_OWNER(link, struct store_append, mail.link), wall_ns);
}

/* --- Publishing ----------------------------------------------------------------------------- */

static enum err publish_part(struct journal *journal,
                             const struct store_append *append,
                             const struct store_part *part,
                             int64_t wall_ns)
{
    struct partition *partition = catalog_partition(&journal->catalog, part->topic, part->partition);
    size_t len = frame_padded(STORE_PART_HEADROOM + part->len);
    partition->end = part->ret_base_offset + part->records;
    partition->bytes += len;
    metric_add(METRIC_RECORDS_STORED, part->records);
    metric_add(METRIC_BYTES_STORED, part->len);
    struct index_batch batch = {
        .slot = partition->slot,
        .records = part->records,
        .base_offset = part->ret_base_offset,
        .position = (uint32_t)(append->place + part->position - STORE_PART_HEADROOM),
        .len = (uint32_t)len,
        .wall_ns = wall_ns,
    };
    return segment_index_add_batch(segment_table_active(&journal->table)->index, &batch);
}

static enum err publish_append(struct journal *journal, const struct store_append *append, int64_t wall_ns)
{
    struct segment_index *index = segment_table_active(&journal->table)->index;
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < append->part_count; i++)
        err = publish_part(journal, append, &append->parts[i], wall_ns);
    if (err == ERR_NONE && append->run_count > 0)
        err = segment_index_add_runs(index, append->sequence, append->runs, append->run_count,
                                     (uint32_t)append->place);
    for (uint32_t i = 0; i < append->run_count; i++)
        catalog_sequence_raise(&journal->catalog, append->sequence,
                               append->runs[i].from + append->runs[i].count - 1);
    if (err == ERR_NONE && append->producer.len > 0)
        err = catalog_producer_raise(&journal->catalog, append->sequence, append->producer,
                                     append->producer_last, journal->writer.lsn);
    for (uint32_t i = 0; err == ERR_NONE && i < append->identity_count; i++) {
        err = segment_index_add_identity(index, append->identities[i], wall_ns);
        identity_window_remove(&journal->pending_identities, append->identities[i]);
    }
    return err;
}

static void publish_internal(struct journal *journal)
{
    struct list *link;
    while ((link = list_take_first(&journal->group_frames)) != NULL) {
        struct internal_frame *frame = LIST_OWNER(link, struct internal_frame, link);
        if (frame->kind == FRAME_RETIRE)
            retention_on_retired(journal, frame->segment, span_of(frame->payload, frame->payload_len));
        free(frame);
    }
}

/* Readers see the group from here on. MEMORY: the index lost an entry, so nothing more can be promised. */
static enum err publish(struct journal *journal, int64_t wall_ns)
{
    enum err err = ERR_NONE;
    journal_lock(&journal->view);
    struct segment *active = segment_table_active(&journal->table);
    LIST_EACH (&journal->group, link)
        if (err == ERR_NONE)
            err = publish_append(journal, LIST_OWNER(link, struct store_append, mail.link), wall_ns);
    active->end = journal->writer.position;
    active->last_lsn = journal->writer.lsn - 1;
    active->first_ns = active->first_ns == 0 ? wall_ns : active->first_ns;
    active->last_ns = wall_ns > active->last_ns ? wall_ns : active->last_ns;
    publish_internal(journal);
    journal_unlock(&journal->view);
    if (!list_is_empty(&journal->group))
        journal_post_watches(journal);
    return err;
}

/* Posts the group's appends back, those of one mailbox in one go. */
static void complete(struct journal *journal, struct list *appends, enum err err)
{
    uint64_t bytes = 0;
    uint32_t count = 0;
    LIST_EACH (appends, link) {
        struct store_append *append = LIST_OWNER(link, struct store_append, mail.link);
        append->ret_err = err;
        bytes += append->len;
        count++;
    }
    journal_lock(&journal->queue);
    journal->inflight_bytes -= bytes;
    journal->inflight_count -= count;
    metric_set(METRIC_INFLIGHT_BYTES, (int64_t)journal->inflight_bytes);
    journal_unlock(&journal->queue);
    while (!list_is_empty(appends)) {
        struct mailbox *target = LIST_OWNER(appends->next, struct store_append, mail.link)->reply_to;
        struct list mails;
        list_init(&mails);
        LIST_EACH_SAFE (appends, link) {
            if (LIST_OWNER(link, struct store_append, mail.link)->reply_to != target)
                continue;
            list_remove(link);
            list_insert_last(&mails, link);
        }
        mailbox_post_all(target, &mails);
    }
}

/* --- Failing -------------------------------------------------------------------------------- */

void commit_fail_all(struct journal *journal, enum err err)
{
    struct list failed;
    list_init(&failed);
    list_move_all(&failed, &journal->group);
    journal_lock(&journal->queue);
    list_move_all(&failed, &journal->express);
    list_move_all(&failed, &journal->bulk);
    list_move_all(&journal->group_frames, &journal->internal);
    journal_unlock(&journal->queue);
    struct list *link;
    while ((link = list_take_first(&journal->group_frames)) != NULL)
        free(LIST_OWNER(link, struct internal_frame, link));
    complete(journal, &failed, err);
}

void commit_break(struct journal *journal, enum err err, const char *doing)
{
    journal->writer.broken = true;
    journal_lock(&journal->queue);
    bool is_new = journal->state != STORE_BROKEN;
    journal->state = STORE_BROKEN;
    (void)why_set(&journal->state_why, err, "%s failed (%s): restart to recover what was synced", doing,
                  err_text(err));
    journal_unlock(&journal->queue);
    metric_set(METRIC_JOURNAL_BROKEN, 1);
    if (is_new)
        journal_tell(journal, JOURNAL_EVENT_BROKEN, "doing=\"%s\" err=%s", doing, err_name(err));
    commit_fail_all(journal, ERR_BROKEN);
    journal_post_watches(journal);
}

/* --- The step ------------------------------------------------------------------------------- */

static enum err write_group(struct journal *journal, int64_t wall_ns)
{
    enum err err = writer_write(&journal->writer, wall_ns);
    if (err == ERR_NONE && !journal->settings.ack_written)
        err = writer_sync(&journal->writer);
    if (err != ERR_NONE)
        return err;
    err = publish(journal, wall_ns);
    if (err != ERR_NONE)
        return err;
    complete(journal, &journal->group, ERR_NONE);
    return journal->settings.ack_written ? writer_sync(&journal->writer) : ERR_NONE;
}

enum err commit_cover(struct journal *journal)
{
    if (!writer_has_room(&journal->writer, FRAME_GROUP_SIZE, 0))
        return ERR_NONE; /* the next segment's header will say where this one ends */
    writer_group_begin(&journal->writer);
    int64_t wall_ns = clock_wall_ns(journal->seams.clock);
    enum err err = write_group(journal, wall_ns);
    atomic_store(&journal->covered, err == ERR_NONE);
    return err;
}

static bool is_idle_long_enough(const struct journal *journal)
{
    return clock_now_ns(journal->seams.clock) - atomic_load(&journal->idle_since_ns) >= JOURNAL_IDLE_COVER_NS;
}

/* Nothing to write: covers the last group once. */
static bool rest(struct journal *journal)
{
    if (atomic_load(&journal->covered) || !is_idle_long_enough(journal))
        return false;
    enum err err = commit_cover(journal);
    if (err != ERR_NONE)
        commit_break(journal, err, "write or sync of a covering group");
    return true;
}

/* Room for the picked frames: in this segment, or in the next one when it is prepared. */
static enum err make_room(struct journal *journal, const struct pick *pick)
{
    const struct segment *active = segment_table_active(&journal->table);
    bool is_urgent = list_is_empty(&journal->group); /* the journal's own frames may use the reserve */
    uint64_t len = pick->len + FRAME_GROUP_SIZE;
    if (writer_has_room(&journal->writer, len, journal_reserve(journal)) &&
        !segment_index_is_full(active->index))
        return ERR_NONE;
    journal_lock(&journal->queue);
    struct list *link = list_take_first(&journal->prepared);
    check(pthread_cond_signal(&journal->helper_wakes) == 0);
    journal->chore_is_due = true;
    journal_unlock(&journal->queue);
    if (link == NULL)
        return is_urgent && writer_has_room(&journal->writer, len, journal_reserve(journal) / 2) ? ERR_NONE
                                                                                                 : ERR_FULL;
    enum err err = roll_seal(journal);
    return err == ERR_NONE ? roll_begin(journal, LIST_OWNER(link, struct prepared, link)) : err;
}

bool commit_step(struct journal *journal)
{
    if (journal->writer.broken) {
        commit_fail_all(journal, ERR_BROKEN);
        return false;
    }
    struct pick pick = pick_group(journal);
    if (pick.parts == 0 && list_is_empty(&journal->group_frames))
        return rest(journal);
    enum err err = make_room(journal, &pick);
    if (err == ERR_FULL) {
        put_back(journal);
        return false;
    }
    int64_t wall_ns = clock_wall_ns(journal->seams.clock);
    if (err == ERR_NONE) {
        build(journal, wall_ns);
        err = write_group(journal, wall_ns);
    }
    if (err != ERR_NONE)
        commit_break(journal, err, "write or sync of a commit group");
    atomic_store(&journal->covered, false);
    atomic_store(&journal->idle_since_ns, clock_now_ns(journal->seams.clock));
    return true;
}
