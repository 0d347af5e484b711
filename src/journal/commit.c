/* Commit groups: what has gathered goes out in one write and one sync. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/commit.h"

#include <string.h>

#include "base/bytes.h"
#include "base/metric.h"
#include "journal/internal_frame.h"
#include "journal/outcome_block.h"
#include "journal/publish.h"
#include "journal/roll.h"

/*
 * 1. pick    a group's worth of what waits: the journal's own frames first, then small appends, then the bulk
 * 2. room    in this segment, or in the next one, which is prepared already
 * 3. build   offsets are given; frames get their LSN and CRC in place, nothing is copied but small pieces
 * 4. write, sync, publish
 *
 * No prepared segment: the appends stay queued and the writer waits for the helper. Failed write or sync: BROKEN, and
 * everything that waits ends with it.
 */

enum {
    PARTS_OF_APPEND = 3, /* its bytes, small frames, its outcomes */
    SMALL_FRAMES_MAX =
        200 * 1024, /* what one append, or the journal's own frames, may need of the scratch memory */
};

/*
 * Whatever is picked fits into the next segment, behind the longest checkpoint: of a segment, that takes half at most, own
 * frames an eighth, appends a quarter (one may be as long: journal_open sees to it) and the reserve a sixteenth. The last
 * sixteenth is more than the header and GROUP frames take of the smallest that a configuration allows.
 */
static uint64_t appends_max(const struct journal *journal)
{
    uint64_t share = journal->settings.segment_size / 4;
    return share < JOURNAL_GROUP_MAX ? share : JOURNAL_GROUP_MAX;
}

static size_t own_frames_max(const struct journal *journal)
{
    uint64_t share = journal->settings.segment_size / 8;
    return share < SMALL_FRAMES_MAX ? (size_t)share : SMALL_FRAMES_MAX;
}

/* --- Picking -------------------------------------------------------------------------------------- */

static size_t runs_len(const struct store_append *append)
{
    if (append->run_count == 0 && append->producer.len == 0)
        return 0;
    return frame_padded(FRAME_HEADER_SIZE + frame_runs_len(append));
}

static size_t identities_len(const struct store_append *append)
{
    if (append->identity_count == 0)
        return 0;
    return frame_padded(FRAME_HEADER_SIZE + FRAME_IDENTITIES_FIXED +
                        (size_t)append->identity_count * FRAME_IDENTITY_SIZE);
}

static size_t small_len(const struct store_append *append)
{
    return runs_len(append) + identities_len(append);
}

static size_t block_len(const struct store_append *append)
{
    const struct outcome_block *block = append->own;
    return block == NULL ? 0 : block->len;
}

static size_t copied_len(size_t len)
{
    return len <= WRITER_COPY_MAX ? len : 0;
}

struct pick {
    uint64_t len;        /* of all frames */
    uint64_t own_len;    /* of the journal's own among them */
    uint64_t urgent_len; /* of these and of the urgent appends */
    size_t small_len;    /* of those that need scratch memory */
    int parts;
    int urgent_parts;
};

/* Whether the append joins the group; the first one always does. */
static bool joins(struct pick *pick, const struct store_append *append, uint64_t max)
{
    size_t small = small_len(append);
    size_t scratch = small + copied_len(append->len) + copied_len(block_len(append));
    size_t len = append->len + small + block_len(append);
    bool fits = pick->len + len <= max && pick->parts + 2 * PARTS_OF_APPEND <= WRITER_PARTS_MAX &&
                pick->small_len + scratch <= WRITER_SCRATCH_SIZE - SMALL_FRAMES_MAX;
    if (pick->parts > 0 && !fits)
        return false;
    pick->len += len;
    pick->small_len += scratch;
    pick->parts += PARTS_OF_APPEND;
    return true;
}

/* An express append that found no room in this group may have its connection's next one behind it in the bulk. */
static bool
overtakes_express(const struct journal *journal, const struct list *queue, const struct store_append *append)
{
    if (queue != &journal->bulk || list_is_empty(&journal->express))
        return false;
    return append->place > LIST_OWNER(journal->express.next, struct store_append, mail.link)->place;
}

static bool pick_one(struct journal *journal, struct list *queue, struct pick *pick, uint64_t max)
{
    if (list_is_empty(queue))
        return false;
    struct store_append *append = LIST_OWNER(queue->next, struct store_append, mail.link);
    if (overtakes_express(journal, queue, append) || !joins(pick, append, max))
        return false;
    list_remove(&append->mail.link);
    list_insert_last(&journal->group, &append->mail.link);
    return true;
}

/* Beside senders that wait for each answer a flood gets small groups, so that theirs is soon; but always one append. */
static void pick_appends(struct journal *journal, struct pick *pick)
{
    uint64_t max = appends_max(journal);
    while (pick_one(journal, &journal->express, pick, max / 2))
        ;
    bool is_shared = clock_now_ns(journal->seams.clock) - journal->express_ns < JOURNAL_SHARED_NS;
    uint64_t bulk_max = is_shared && max > JOURNAL_GROUP_SHARED_MAX ? JOURNAL_GROUP_SHARED_MAX : max;
    if (pick_one(journal, &journal->bulk, pick, max))
        while (pick_one(journal, &journal->bulk, pick, bulk_max))
            ;
}

/* Internal frames come first: a TOPIC stands before its batches. The queue lock is held. */
static void pick_internal(struct journal *journal, struct pick *pick)
{
    size_t max = own_frames_max(journal);
    while (!list_is_empty(&journal->internal)) {
        struct internal_frame *frame = LIST_OWNER(journal->internal.next, struct internal_frame, link);
        size_t len = frame_padded(FRAME_HEADER_SIZE + frame->payload_len);
        check(len <= max);
        if (pick->len + len > max)
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
    pick.own_len = pick.len;
    bool is_all = list_is_empty(&journal->internal);
    while (is_all && pick_one(journal, &journal->urgent, &pick, appends_max(journal) / 2))
        ;
    pick.urgent_len = pick.len;
    pick.urgent_parts = pick.parts;
    if (is_all && !journal->is_blocked)
        pick_appends(journal, &pick);
    journal_unlock(&journal->queue);
    return pick;
}

static bool has_prepared_for(const struct journal *journal, bool is_urgent)
{
    uint32_t count = 0;
    LIST_EACH (&journal->prepared, link)
        count++;
    return count > (is_urgent ? 0 : JOURNAL_PREPARED_KEPT);
}

/* To the front of a queue, in their order. */
static void put_back(struct list *queue, struct list *appends)
{
    list_move_all(appends, queue);
    list_move_all(queue, appends);
}

/* Appends that could not be written for lack of a segment go back to the front, and wait for one; the urgent ones stay. */
static void put_back_appends(struct journal *journal)
{
    struct list appends;
    list_init(&appends);
    LIST_EACH_SAFE (&journal->group, link) {
        if (LIST_OWNER(link, struct store_append, mail.link)->urgent)
            continue;
        list_remove(link);
        list_insert_last(&appends, link);
    }
    if (list_is_empty(&appends))
        return;
    journal_lock(&journal->queue);
    journal->is_blocked = !has_prepared_for(journal, false);
    put_back(&journal->bulk, &appends);
    journal_unlock(&journal->queue);
}

static void put_back_urgent(struct journal *journal)
{
    journal_lock(&journal->queue);
    put_back(&journal->urgent, &journal->group);
    journal_unlock(&journal->queue);
}

static void put_back_own(struct journal *journal)
{
    journal_lock(&journal->queue);
    journal->is_stuck = !has_prepared_for(journal, true);
    list_move_all(&journal->group_frames, &journal->internal);
    list_move_all(&journal->internal, &journal->group_frames);
    journal_unlock(&journal->queue);
}

/* --- Building ------------------------------------------------------------------------------------- */

static void put_runs(struct journal *journal, const struct store_append *append, uint8_t flags)
{
    size_t len = frame_runs_len(append);
    uint64_t position;
    uint8_t *frame = writer_put_small(&journal->writer, len, &position);
    frame_runs_write(frame + FRAME_HEADER_SIZE, append);
    writer_frame(&journal->writer, frame, FRAME_RUNS, flags, FRAME_HEADER_SIZE + len);
}

static void
put_identities(struct journal *journal, const struct store_append *append, uint8_t flags, int64_t wall_ns)
{
    size_t len = FRAME_IDENTITIES_FIXED + (size_t)append->identity_count * FRAME_IDENTITY_SIZE;
    uint64_t position;
    uint8_t *frame = writer_put_small(&journal->writer, len, &position);
    uint8_t *payload = frame + FRAME_HEADER_SIZE;
    bytes_put_le32(payload, append->identity_count);
    bytes_put_le64(payload + 8, (uint64_t)wall_ns);
    memcpy(payload + FRAME_IDENTITIES_FIXED, append->identities,
           (size_t)append->identity_count * FRAME_IDENTITY_SIZE);
    writer_frame(&journal->writer, frame, FRAME_IDENTITIES, flags, FRAME_HEADER_SIZE + len);
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
    bool has_block = append->own != NULL;
    for (uint32_t i = 0; i < append->part_count; i++) {
        struct store_part *part = &append->parts[i];
        bytes_put_be64(append->bytes + part->position, part->ret_base_offset);
        uint8_t *frame = append->bytes + part->position - STORE_PART_HEADROOM;
        struct frame_batch batch = {part->topic, part->partition, wall_ns, part->records, {0}};
        frame_batch_write(frame + FRAME_HEADER_SIZE, &batch);
        bool is_last = i + 1 == append->part_count && !has_runs && !has_identities && !has_block;
        writer_frame(&journal->writer, frame, FRAME_BATCH, is_last ? 0 : FRAME_MORE,
                     STORE_PART_HEADROOM + part->len);
    }
    append->place = writer_put(&journal->writer, append->bytes, append->len);
    if (has_runs)
        put_runs(journal, append, has_identities || has_block ? FRAME_MORE : 0);
    if (has_identities)
        put_identities(journal, append, has_block ? FRAME_MORE : 0, wall_ns);
    if (has_block)
        outcome_block_put(&journal->writer, append, append->own, wall_ns);
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

/* --- The step ------------------------------------------------------------------------------------- */

/* log.ack: written does not hold for the journal's own frames: what a RETIRE frame sets free is written over. */
static enum err write_group(struct journal *journal, int64_t wall_ns)
{
    bool syncs_first = !journal->settings.ack_written || !list_is_empty(&journal->group_frames);
    enum err err = writer_write(&journal->writer, wall_ns);
    if (err == ERR_NONE && syncs_first)
        err = writer_sync(&journal->writer);
    if (err != ERR_NONE)
        return err;
    err = publish_group(journal, wall_ns);
    if (err != ERR_NONE)
        return err;
    publish_complete(journal, &journal->group, ERR_NONE);
    return syncs_first ? ERR_NONE : writer_sync(&journal->writer);
}

enum err commit_cover(struct journal *journal)
{
    if (!writer_has_room(&journal->writer, FRAME_GROUP_SIZE, 0)) {
        atomic_store(&journal->covered, true); /* the next segment's header will say where this one ends */
        return ERR_NONE;
    }
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
        publish_broken(journal, err, "write or sync of a covering group");
    return true;
}

/* Who asks for room: the journal's own frames may also use the reserve, and both of these the segment that is kept. */
enum rank { RANK_APPENDS, RANK_URGENT, RANK_OWN };

/* In this segment, or in the next one when it is prepared. */
static enum err make_room(struct journal *journal, uint64_t frames_len, enum rank rank)
{
    const struct segment *active = segment_table_active(&journal->table);
    uint64_t len = frames_len + FRAME_GROUP_SIZE;
    if (writer_has_room(&journal->writer, len, journal_reserve(journal)) &&
        !segment_index_is_full(active->index))
        return ERR_NONE;
    journal_lock(&journal->queue);
    struct list *link =
        has_prepared_for(journal, rank != RANK_APPENDS) ? list_take_first(&journal->prepared) : NULL;
    bool resumes = link != NULL && journal->resumes;
    journal->resumes = journal->resumes && !resumes;
    check(pthread_cond_signal(&journal->helper_wakes) == 0);
    journal->chore_is_due = true;
    journal_unlock(&journal->queue);
    if (link == NULL)
        return rank == RANK_OWN && writer_has_room(&journal->writer, len, journal_reserve(journal) / 2)
                   ? ERR_NONE
                   : ERR_FULL;
    enum err err = roll_seal(journal);
    journal->writer.incarnation += resumes ? 1 : 0;
    if (err == ERR_NONE)
        return roll_begin(journal, LIST_OWNER(link, struct prepared, link));
    journal_lock(&journal->queue);
    list_insert_last(&journal->prepared, link); /* nobody begins it any more, but it is freed there */
    journal_unlock(&journal->queue);
    return err;
}

/* Room for as much as can be had: what has none goes back. RETIRE among the journal's own is what makes room again. */
static enum err make_room_for(struct journal *journal, const struct pick *pick)
{
    enum err err = ERR_FULL;
    if (pick->parts > pick->urgent_parts) {
        err = make_room(journal, pick->len, RANK_APPENDS);
        if (err == ERR_FULL)
            put_back_appends(journal);
    }
    if (err == ERR_FULL && pick->urgent_parts > 0) {
        err = make_room(journal, pick->urgent_len, RANK_URGENT);
        if (err == ERR_FULL)
            put_back_urgent(journal);
    }
    if (err == ERR_FULL && pick->own_len > 0)
        err = make_room(journal, pick->own_len, RANK_OWN);
    return err;
}

bool commit_step(struct journal *journal)
{
    if (journal->writer.broken) {
        publish_failure(journal, ERR_BROKEN);
        return false;
    }
    struct pick pick = pick_group(journal);
    if (pick.parts == 0 && list_is_empty(&journal->group_frames))
        return rest(journal);
    enum err err = make_room_for(journal, &pick);
    if (err == ERR_FULL) {
        put_back_own(journal);
        return rest(journal);
    }
    int64_t wall_ns = clock_wall_ns(journal->seams.clock);
    if (err == ERR_NONE) {
        build(journal, wall_ns);
        err = write_group(journal, wall_ns);
    }
    atomic_store(&journal->covered, false);
    atomic_store(&journal->idle_since_ns, clock_now_ns(journal->seams.clock));
    if (err != ERR_NONE)
        publish_broken(journal, err, "write or sync of a commit group");
    return true;
}
