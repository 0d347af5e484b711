/* Commit groups, page by page. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/metric.h"

/*
 * A write begins at a page boundary: the synced bytes of the last partial page stand in `tail` and are written again,
 * unchanged, in front of the group; zeros fill the last page. So the kernel never reads a page back to change it.
 *
 *   parts: [header page]? [tail] [GROUP frame, small frames ...] [append] [small frames] ... [zeros]
 */

enum { AVERAGE_SHIFT = 3 };

enum err writer_init(struct writer *writer, struct clock *clock)
{
    *writer = (struct writer){.clock = clock};
    writer->parts = calloc(WRITER_PARTS_MAX + 4, sizeof(struct iovec));
    writer->scratch = malloc(WRITER_SCRATCH_SIZE);
    writer->tail = calloc(1, SEGMENT_PAGE);
    writer->header = calloc(1, SEGMENT_PAGE);
    bool fine =
        writer->parts != NULL && writer->scratch != NULL && writer->tail != NULL && writer->header != NULL;
    return fine ? ERR_NONE : ERR_MEMORY;
}

void writer_done(struct writer *writer)
{
    free(writer->parts);
    free(writer->scratch);
    free(writer->tail);
    free(writer->header);
    *writer = (struct writer){0};
}

void writer_resume(struct writer *writer,
                   struct fs_file *file,
                   const struct segment_header *header,
                   uint64_t position,
                   const uint8_t *tail)
{
    writer->file = file;
    writer->segment_size = header->size;
    writer->epoch_crc = frame_crc_of_epoch(header->epoch);
    writer->position = position;
    writer->synced_end = position;
    writer->header_is_due = false;
    memset(writer->tail, 0, SEGMENT_PAGE);
    memcpy(writer->tail, tail, position % SEGMENT_PAGE);
}

void writer_begin_segment(struct writer *writer, struct fs_file *file, const struct segment_header *header)
{
    static const uint8_t nothing[1];
    writer_resume(writer, file, header, SEGMENT_HEADER_SIZE, nothing);
    segment_header_write(writer->header, header);
    writer->header_is_due = true;
}

void writer_group_begin(struct writer *writer)
{
    writer->group_lsn = writer->lsn++;
    writer->group_frames = 0;
    writer->part_count = 2; /* 0: header, 1: tail */
    writer->scratch_len = FRAME_GROUP_SIZE;
    writer->scratch_is_last = true;
    writer->parts[writer->part_count++] = (struct iovec){writer->scratch, FRAME_GROUP_SIZE};
    writer->group_len = FRAME_GROUP_SIZE;
}

bool writer_has_room(const struct writer *writer, uint64_t len, uint64_t reserve)
{
    uint64_t used = writer->position + writer->group_len + len + reserve;
    return used <= writer->segment_size;
}

void writer_frame(struct writer *writer, uint8_t *at, enum frame_kind kind, uint8_t flags, size_t len)
{
    struct frame frame = {
        .len = (uint32_t)len,
        .kind = (uint8_t)kind,
        .flags = flags,
        .incarnation = writer->incarnation,
        .lsn = writer->lsn++,
    };
    frame_write(at, &frame, writer->epoch_crc);
    writer->group_frames++;
}

/* Small pieces stand back to back in scratch: one part as long as nothing large comes between. */
static uint8_t *take_scratch(struct writer *writer, size_t len)
{
    check(writer->scratch_len + len <= WRITER_SCRATCH_SIZE);
    uint8_t *place = writer->scratch + writer->scratch_len;
    writer->scratch_len += len;
    if (writer->scratch_is_last)
        writer->parts[writer->part_count - 1].iov_len += len;
    else
        writer->parts[writer->part_count++] = (struct iovec){place, len};
    writer->scratch_is_last = true;
    writer->group_len += len;
    return place;
}

uint64_t writer_put(struct writer *writer, uint8_t *bytes, size_t len)
{
    check(len % FRAME_ALIGNMENT == 0 && writer->part_count < WRITER_PARTS_MAX);
    uint64_t position = writer->position + writer->group_len;
    if (len <= WRITER_COPY_MAX) {
        uint8_t *place = take_scratch(writer, len);
        if (len > 0) /* outcomes alone: there are no bytes */
            memcpy(place, bytes, len);
        return position;
    }
    writer->parts[writer->part_count++] = (struct iovec){bytes, len};
    writer->scratch_is_last = false;
    writer->group_len += len;
    return position;
}

uint8_t *writer_put_small(struct writer *writer, size_t payload_len, uint64_t *ret_position)
{
    *ret_position = writer->position + writer->group_len;
    size_t len = frame_padded(FRAME_HEADER_SIZE + payload_len);
    uint8_t *frame = take_scratch(writer, len);
    memset(frame, 0, len);
    return frame;
}

static void finish_group_frame(struct writer *writer, int64_t wall_ns)
{
    struct frame_group group = {
        .synced_end = writer->synced_end,
        .len = writer->group_len,
        .wall_ns = wall_ns,
        .frames = writer->group_frames,
    };
    frame_group_write(writer->scratch + FRAME_HEADER_SIZE, &group);
    struct frame frame = {
        .len = FRAME_GROUP_SIZE,
        .kind = FRAME_GROUP,
        .incarnation = writer->incarnation,
        .lsn = writer->group_lsn,
    };
    frame_write(writer->scratch, &frame, writer->epoch_crc);
}

/* The last `end % page` bytes of what was written become the tail of the next write. */
static void keep_tail(struct writer *writer, int last_part, size_t tail_len)
{
    size_t missing = tail_len;
    for (int i = last_part; missing > 0 && i > 1; i--) {
        const struct iovec *part = &writer->parts[i];
        size_t take = part->iov_len < missing ? part->iov_len : missing;
        missing -= take;
        memcpy(writer->tail + missing, (const uint8_t *)part->iov_base + part->iov_len - take, take);
    }
    /* What is still missing stands at the tail's front already: the group did not leave its first page. */
}

enum err writer_write(struct writer *writer, int64_t wall_ns)
{
    static const uint8_t zeros[SEGMENT_PAGE];
    check(!writer->broken);
    finish_group_frame(writer, wall_ns);
    size_t tail_len = writer->position % SEGMENT_PAGE;
    uint64_t end = writer->position + writer->group_len;
    check(end <= writer->segment_size);
    int last_part = writer->part_count - 1;
    size_t pad = (size_t)(-end & (SEGMENT_PAGE - 1));
    if (pad > 0)
        writer->parts[writer->part_count++] = (struct iovec){(void *)(uintptr_t)zeros, pad};
    writer->parts[0] = (struct iovec){writer->header, SEGMENT_PAGE};
    writer->parts[1] = (struct iovec){writer->tail, tail_len};
    int first = writer->header_is_due ? 0 : tail_len > 0 ? 1 : 2;
    uint64_t at = writer->header_is_due ? 0 : writer->position - tail_len;
    writer->write_began_ns = clock_now_ns(writer->clock);
    const struct iovec *parts = writer->parts + first;
    enum err err = writer->file->ops->pwritev(writer->file, parts, writer->part_count - first, at);
    if (err != ERR_NONE) {
        writer->broken = true;
        return err;
    }
    metric_add(METRIC_BYTES_WRITTEN, (int64_t)(end + pad - at));
    keep_tail(writer, last_part, (size_t)(end % SEGMENT_PAGE));
    writer->position = end;
    writer->header_is_due = false;
    writer->group_len = 0;
    return ERR_NONE;
}

enum err writer_sync(struct writer *writer)
{
    check(!writer->broken);
    enum err err = fs_fdatasync(writer->file);
    if (err != ERR_NONE) {
        writer->broken = true;
        return err;
    }
    int64_t took = clock_now_ns(writer->clock) - writer->write_began_ns;
    writer->sync_ns += (took - writer->sync_ns) >> AVERAGE_SHIFT;
    writer->synced_end = writer->position;
    metric_add(METRIC_SYNC_NS, took);
    metric_add(METRIC_COMMITS, 1);
    return ERR_NONE;
}
