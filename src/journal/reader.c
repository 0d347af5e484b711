/* Bounded reads of a partition: found through the indexes, checked frame by frame, handed out as plain batches. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/reader.h"

#include <string.h>

#include "base/bytes.h"
#include "base/metric.h"
#include "journal/replay.h"
#include "journal/seal.h"

/*
 * 1. Under the view lock: find the segment that holds the offset, and the stretches (extents) of it to look at; take a reference.
 * 2. Without a lock: read stretch after stretch into the caller's buffer, verify every frame, move the batches together.
 * 3. Data that is not in the page cache: the loop gets PENDING, and the reader thread does step 2.
 *
 * Only synced bytes are in an index, so nothing above the synced end is ever read. Bad bytes are passed over and said.
 */

enum { EXTENTS_PER_READ = 512, READ_AHEAD_MIN = 16 * 1024 };

struct place {
    struct segment *segment; /* referenced */
    struct fs_file *file;
    uint32_t epoch_crc;
    struct index_extent extents[EXTENTS_PER_READ];
    uint32_t extent_count;
    uint64_t segment_end_offset; /* of the partition */
    uint64_t end_offset;         /* readers see nothing from here on */
};

/* --- 1. Finding ------------------------------------------------------------------------------------- */

/* Where a partition without records in a sealed segment stood, as its index file will say it. */
static bool note_of(const struct segment *segment, uint32_t slot, struct index_summary *ret_summary)
{
    if (segment->slots == NULL || slot >= segment->slot_count)
        return false;
    *ret_summary = (struct index_summary){.first_offset = segment->slots[slot].first_offset,
                                          .end_offset = segment->slots[slot].end_offset};
    return true;
}

/* What a segment holds of a partition. AGAIN: its index file must be opened first. NOT_FOUND: nothing yet. */
static enum err
summary_of(struct segment *segment, const struct partition *partition, struct index_partition *ret_summary)
{
    *ret_summary = (struct index_partition){0};
    if (segment->index != NULL) {
        bool has = segment_index_summary(segment->index, partition->slot, &ret_summary->summary) ||
                   note_of(segment, partition->slot, &ret_summary->summary);
        return has ? ERR_NONE : ERR_NOT_FOUND;
    }
    if (segment->index_file == NULL)
        return ERR_AGAIN;
    return segment_index_outcome(segment, index_file_partition(segment->index_file, partition->topic,
                                                               partition->partition, ret_summary));
}

static bool is_readable(const struct segment *segment)
{
    return segment->state != SEGMENT_INDEX_ONLY && !segment->is_lost;
}

/* Whether records at or behind `offset` lie in here, or before: the first segment of which it is true is the one. */
static enum err ends_behind(struct segment *segment,
                            const struct partition *partition,
                            uint64_t offset,
                            bool *ret_ends_behind)
{
    struct index_partition summary;
    enum err err = summary_of(segment, partition, &summary);
    if (err == ERR_NOT_FOUND) { /* nothing of it: the active one, or older than the partition */
        *ret_ends_behind = segment->state == SEGMENT_ACTIVE;
        return ERR_NONE;
    }
    *ret_ends_behind = err == ERR_NONE && summary.summary.end_offset > offset;
    return err;
}

/* A reader that goes back brings the hint of a later place. */
static bool begins_behind(struct segment *segment, const struct partition *partition, uint64_t offset)
{
    struct index_partition summary;
    return summary_of(segment, partition, &summary) != ERR_NONE || summary.summary.first_offset > offset;
}

/* Binary search over the readable segments, the hint and its successor first. AGAIN: *ret_segment wants its index opened. */
static enum err locate(const struct journal *journal,
                       const struct partition *partition,
                       const struct store_read *read,
                       struct segment **ret_segment)
{
    const struct segment_table *table = &journal->table;
    uint32_t low = 0;
    while (low < table->count && !is_readable(table->segments[low]))
        low++;
    uint32_t high = table->count - 1;
    if (read->hint != 0 && high > low && read->hint >= table->segments[low]->number) {
        uint64_t step = read->hint - table->segments[low]->number;
        if (step + low <= high && table->segments[step + low]->number == read->hint &&
            !begins_behind(table->segments[step + low], partition, read->offset))
            low += (uint32_t)step; /* readers go forward, as a rule */
    }
    uint32_t step = 1;
    while (low < high) { /* gallop from the front, then halve: the hint makes the first probe the answer */
        uint32_t last = low + step - 1 < high ? low + step - 1 : low + (high - low) / 2;
        uint32_t probe = last;
        bool is_behind = false;
        while (probe > low && !is_readable(table->segments[probe]))
            probe--;
        if (!is_readable(table->segments[probe])) {
            low = last + 1;
            continue;
        }
        *ret_segment = table->segments[probe];
        enum err err = ends_behind(table->segments[probe], partition, read->offset, &is_behind);
        if (err != ERR_NONE)
            return err;
        if (is_behind) {
            high = probe;
            step = 1;
        } else {
            low = probe + 1;
            step *= 2;
        }
    }
    *ret_segment = table->segments[low];
    return ERR_NONE;
}

static enum err
extents_of(struct segment *segment, const struct partition *partition, uint64_t offset, struct place *place)
{
    struct index_partition summary;
    enum err err = summary_of(segment, partition, &summary);
    place->extent_count = 0;
    if (err == ERR_NOT_FOUND) { /* the active one: what was before it is lost, and nothing came since */
        place->segment_end_offset = place->end_offset;
        return ERR_NONE;
    }
    if (err != ERR_NONE)
        return err;
    place->segment_end_offset = summary.summary.end_offset;
    if (segment->index == NULL)
        return segment_index_outcome(segment, index_file_extents_from(segment->index_file, &summary, offset,
                                                                      place->extents, EXTENTS_PER_READ,
                                                                      &place->extent_count));
    place->extent_count =
        segment_index_extents_from(segment->index, partition->slot, offset, place->extents, EXTENTS_PER_READ);
    return ERR_NONE;
}

/* AGAIN: the segment's index or file is to be opened; it is referenced then too. */
static enum err find_place(struct journal *journal, struct store_read *read, struct place *ret_place)
{
    const struct partition *partition = catalog_partition(&journal->catalog, read->topic, read->partition);
    if (partition == NULL)
        return ERR_UNKNOWN_TOPIC;
    if (read->offset < partition->start)
        return ERR_EXPIRED;
    if (read->offset >= partition->end)
        return ERR_NOT_FOUND;
    struct segment *segment = NULL;
    enum err err = locate(journal, partition, read, &segment);
    ret_place->segment_end_offset = read->offset;
    ret_place->end_offset = partition->end;
    if (err == ERR_NONE)
        err = extents_of(segment, partition, read->offset, ret_place);
    if (err == ERR_NONE && segment->file == NULL)
        err = ERR_AGAIN;
    if (err != ERR_NONE && err != ERR_AGAIN)
        return err;
    if (err == ERR_NONE)
        read->hint = segment->number;
    segment->references++;
    ret_place->segment = segment;
    ret_place->file = segment->file;
    ret_place->epoch_crc = frame_crc_of_epoch(segment->epoch);
    return err;
}

static void leave(struct journal *journal, struct segment *segment)
{
    journal_lock(&journal->view);
    segment->references--;
    journal_unlock(&journal->view);
}

enum err reader_open_segment(struct journal *journal, struct segment *segment)
{
    enum err err = ERR_NONE;
    journal_lock(&journal->view);
    bool needs_index = segment->index == NULL && segment->index_file == NULL;
    bool needs_file = segment->file == NULL;
    journal_unlock(&journal->view);
    if (needs_index)
        err = seal_open_index(journal, segment);
    if (err != ERR_NONE || !needs_file)
        return err;
    char name[SEGMENT_NAME_SIZE];
    struct fs_file *file;
    segment_name(name, segment->number, ".segment");
    err = fs_open(journal->seams.fs, name, FS_OPEN_READ, &file);
    if (err != ERR_NONE)
        return err;
    journal_lock(&journal->view);
    if (segment->file == NULL) {
        segment->file = file;
        file = NULL;
    }
    journal_unlock(&journal->view);
    fs_close(file);
    return ERR_NONE;
}

/* --- 2. Reading ------------------------------------------------------------------------------------- */

struct gather {
    struct store_read *read;
    uint32_t epoch_crc;
    uint64_t end_offset; /* as in the place */
    size_t len;          /* batches so far, at the front of the buffer */
    uint64_t next_offset;
    bool is_at_hole; /* the next batch of the partition begins beyond next_offset */
    bool is_cut;     /* the buffer ended inside a frame */
    size_t needed;   /* then: a buffer in which it would have been whole */
};

/* A batch that begins beyond what is expected shows that those before it are bad or missing: the read ends there. */
static void take_batch(struct gather *gather, const struct frame_batch *batch)
{
    uint64_t base = bytes_get_be64(batch->batch.data);
    const struct store_read *read = gather->read;
    if (batch->topic != read->topic || batch->partition != read->partition ||
        base + batch->records <= gather->next_offset || base >= gather->end_offset)
        return;
    gather->is_at_hole = base > gather->next_offset;
    if (gather->is_at_hole) {
        gather->next_offset = gather->len == 0 ? base : gather->next_offset;
        return;
    }
    memmove(read->buffer + gather->len, batch->batch.data, batch->batch.len);
    gather->len += batch->batch.len;
    gather->next_offset = base + batch->records;
}

/*
 * Verifies the frames of one stretch, which stands in the buffer behind the batches so far, and takes its batches. Bad bytes
 * are passed over: whether they cost this partition something, the offsets behind them tell. `len` is the whole stretch's.
 */
static void take_stretch(struct gather *gather, struct span bytes, size_t len)
{
    const uint8_t *begin = bytes.data;
    bool is_whole = bytes.len >= len;
    bool passes = false;
    while (bytes.len >= FRAME_HEADER_SIZE && !gather->is_at_hole) {
        struct frame frame;
        struct frame_batch batch;
        if (!frame_read(bytes, gather->epoch_crc, &frame)) {
            size_t claimed = frame_padded(frame_peek(bytes.data).len);
            size_t before = (size_t)(bytes.data - begin);
            if (!is_whole && !passes && claimed > bytes.len && before + claimed <= len) {
                gather->is_cut = true;
                gather->needed = gather->len + before + claimed;
                return;
            }
            passes = true;
            bytes = span_after(bytes, FRAME_ALIGNMENT);
            continue;
        }
        if (frame.kind == FRAME_BATCH && frame_batch_read(frame.payload, &batch) && batch.batch.len >= 8)
            take_batch(gather, &batch);
        bytes = span_after(bytes, frame_padded(frame.len));
    }
    if (is_whole || gather->is_at_hole || gather->len > 0)
        return;
    gather->is_cut = true; /* what is wanted may lie in the rest */
    gather->needed = len;
}

/* Stretches that nearly touch are read in one go, as far as `room` allows; *ret_next is the first one left. */
static void join_stretches(const struct place *place,
                           uint32_t first,
                           size_t room,
                           uint64_t *ret_from,
                           size_t *ret_len,
                           uint32_t *ret_next)
{
    uint64_t from = place->extents[first].position;
    uint64_t to = from + place->extents[first].len;
    uint32_t next = first + 1;
    for (; next < place->extent_count; next++) {
        const struct index_extent *extent = &place->extents[next];
        if (extent->position > to + SEGMENT_INDEX_GAP_MAX || extent->position + extent->len - from > room)
            break;
        to = extent->position + extent->len;
    }
    *ret_from = from;
    *ret_len = (size_t)(to - from);
    *ret_next = next;
}

static enum err gather_batches(struct gather *gather, const struct place *place, bool no_wait)
{
    struct store_read *read = gather->read;
    uint32_t next;
    for (uint32_t i = 0; i < place->extent_count && !gather->is_cut && !gather->is_at_hole; i = next) {
        uint64_t from;
        size_t len;
        size_t got;
        size_t room = read->size - gather->len;
        join_stretches(place, i, room, &from, &len, &next);
        if (len > room && gather->len > 0)
            return ERR_NONE;
        size_t size = len < room ? len : room;
        enum err err =
            place->file->ops->pread(place->file, read->buffer + gather->len, size, from, no_wait, &got);
        if (err != ERR_NONE)
            return gather->len > 0 && err == ERR_AGAIN ? ERR_NONE : err;
        take_stretch(gather, span_of(read->buffer + gather->len, got), got < size ? got : len);
    }
    return ERR_NONE;
}

/* Where to go on when nothing whole was found in the extents that were looked at. */
static uint64_t offset_behind(const struct place *place, uint64_t offset)
{
    bool goes_on = place->extent_count == EXTENTS_PER_READ;
    uint64_t behind = goes_on ? place->extents[EXTENTS_PER_READ - 1].base_offset : place->segment_end_offset;
    return behind > offset ? behind : offset + 1;
}

static enum err judge(const struct gather *gather, const struct place *place)
{
    struct store_read *read = gather->read;
    read->ret_len = gather->len;
    read->ret_next_offset = gather->next_offset;
    if (gather->len > 0)
        return ERR_NONE;
    if (gather->is_cut) {
        read->ret_len = gather->needed;
        return ERR_TOO_LARGE;
    }
    if (read->ret_next_offset <= read->offset)
        read->ret_next_offset = offset_behind(place, read->offset);
    metric_add(METRIC_DAMAGE, 1);
    return ERR_DAMAGED;
}

/* What cannot be opened for good is said once, and passed over from then on. Other errors are handed back. */
static enum err pass_lost(struct journal *journal, struct segment *segment, enum err err)
{
    if (err != ERR_NOT_FOUND && err != ERR_DAMAGED)
        return err;
    journal_lock(&journal->view);
    bool is_new = !segment->is_lost;
    segment->is_lost = true;
    journal_unlock(&journal->view);
    if (is_new)
        journal_tell(journal, JOURNAL_EVENT_DAMAGE, "segment=%llu what=unreadable err=%s",
                     (unsigned long long)segment->number, err_name(err));
    return ERR_NONE;
}

/* Finds the place, and opens on the way what has not been read since the start. */
static enum err
find_open_place(struct journal *journal, struct store_read *read, bool no_wait, struct place *ret_place)
{
    enum err err = ERR_AGAIN;
    while (err == ERR_AGAIN) {
        journal_lock(&journal->view);
        err = find_place(journal, read, ret_place);
        journal_unlock(&journal->view);
        if (err != ERR_AGAIN)
            break;
        enum err opened = no_wait ? ERR_AGAIN : reader_open_segment(journal, ret_place->segment);
        opened = pass_lost(journal, ret_place->segment, opened);
        leave(journal, ret_place->segment);
        if (opened != ERR_NONE)
            return opened;
    }
    return err;
}

/* The index of the segment behind this one, as a reader enters it: a few hundred blocks in one access to the disk. */
static void read_next_index_ahead(struct journal *journal, const struct segment *segment)
{
    journal_lock(&journal->view);
    bool is_new = journal->index_read_ahead != segment->number + 1;
    journal->index_read_ahead = segment->number + 1;
    const struct segment *next = segment_table_find(&journal->table, segment->number + 1);
    if (is_new && next != NULL && next->index_file != NULL)
        index_file_will_need(next->index_file);
    journal_unlock(&journal->view);
}

/* A little more than is wanted: one access to the disk then brings the topic's other partitions, which lie beside it. */
static void will_need(const struct place *place)
{
    for (uint32_t i = 0; i < place->extent_count; i++) {
        const struct index_extent *extent = &place->extents[i];
        uint32_t len = extent->len > READ_AHEAD_MIN ? extent->len : READ_AHEAD_MIN;
        place->file->ops->will_need(place->file, extent->position, len);
    }
}

/* AGAIN with no_wait: what is wanted is not in memory. */
static enum err read_now(struct journal *journal, struct store_read *read, bool no_wait)
{
    struct place place;
    read->ret_len = 0;
    read->ret_next_offset = read->offset;
    enum err err = find_open_place(journal, read, no_wait, &place);
    if (err != ERR_NONE)
        return err == ERR_NOT_FOUND ? ERR_NONE : err; /* NOT_FOUND: the end of the log */
    struct gather gather = {.read = read,
                            .epoch_crc = place.epoch_crc,
                            .next_offset = read->offset,
                            .end_offset = place.end_offset};
    if (!no_wait) {
        will_need(&place);
        read_next_index_ahead(journal, place.segment);
    }
    err = gather_batches(&gather, &place, no_wait);
    leave(journal, place.segment);
    return err == ERR_NONE ? judge(&gather, &place) : err;
}

/* --- 3. Waiting --------------------------------------------------------------------------------------- */

enum err reader_read(struct store *store, struct store_read *read)
{
    struct journal *journal = journal_of(store);
    check(read->buffer != NULL && read->size > 0);
    bool may_wait = read->reply_to == NULL || !journal->is_threaded;
    enum err err = read_now(journal, read, !may_wait);
    if (err != ERR_AGAIN) {
        read->ret_err = err;
        return err;
    }
    journal_lock(&journal->queue);
    list_insert_last(&journal->reads, &read->mail.link);
    check(pthread_cond_signal(&journal->reader_wakes) == 0);
    journal_unlock(&journal->queue);
    return ERR_PENDING;
}

/* What the reader will want next is asked for while it works on what it has. */
static void read_ahead(struct journal *journal, struct store_read *next)
{
    struct place place;
    if (find_open_place(journal, next, false, &place) != ERR_NONE)
        return;
    will_need(&place);
    leave(journal, place.segment);
}

void reader_finish(struct journal *journal, struct store_read *take_read)
{
    take_read->ret_err = read_now(journal, take_read, false);
    bool goes_on = take_read->ret_err == ERR_NONE && take_read->ret_len > 0;
    struct store_read next = {.topic = take_read->topic,
                              .partition = take_read->partition,
                              .offset = take_read->ret_next_offset,
                              .hint = take_read->hint};
    mailbox_post(take_read->reply_to, &take_read->mail);
    if (goes_on)
        read_ahead(journal, &next);
}

/* AGAIN: *ret_segment wants its index opened. The view lock is held. */
static enum err find_offset_at(const struct journal *journal,
                               const struct partition *partition,
                               int64_t wall_ns,
                               uint64_t *ret_offset,
                               struct segment **ret_segment)
{
    enum err err = ERR_NONE;
    *ret_offset = partition->end;
    for (uint32_t i = journal->table.count; err == ERR_NONE && i > 0; i--) {
        struct segment *segment = journal->table.segments[i - 1];
        struct index_partition summary;
        struct index_extent extent;
        *ret_segment = segment;
        if (segment->last_ns < wall_ns)
            break;
        if (!is_readable(segment))
            continue;
        err = summary_of(segment, partition, &summary);
        if (err == ERR_NONE && segment->index != NULL)
            err = segment_index_extent_at_time(segment->index, partition->slot, wall_ns, &extent)
                      ? ERR_NONE
                      : ERR_NOT_FOUND;
        else if (err == ERR_NONE)
            err = segment_index_outcome(
                segment, index_file_extent_at_time(segment->index_file, &summary, wall_ns, &extent));
        if (err == ERR_NONE) /* what expired may still stand there */
            *ret_offset = extent.base_offset > partition->start ? extent.base_offset : partition->start;
        err = err == ERR_NOT_FOUND ? ERR_NONE : err;
    }
    return err;
}

enum err reader_offset_at(
    struct store *store, uint32_t topic, uint32_t partition_number, int64_t wall_ns, uint64_t *ret_offset)
{
    struct journal *journal = journal_of(store);
    struct segment *segment = NULL;
    enum err err = ERR_AGAIN;
    while (err == ERR_AGAIN) {
        journal_lock(&journal->view);
        const struct partition *partition = catalog_partition(&journal->catalog, topic, partition_number);
        err = partition == NULL ? ERR_UNKNOWN_TOPIC
                                : find_offset_at(journal, partition, wall_ns, ret_offset, &segment);
        if (err == ERR_AGAIN)
            segment->references++;
        journal_unlock(&journal->view);
        if (err != ERR_AGAIN)
            break;
        enum err opened = pass_lost(journal, segment, seal_open_index(journal, segment));
        leave(journal, segment);
        if (opened != ERR_NONE)
            return opened;
    }
    return err;
}
