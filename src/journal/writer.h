/* Builds commit groups and makes them durable: one write and one sync each, into one segment at a time. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_WRITER_H
#define JOURNAL_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/fs.h"
#include "journal/frame.h"
#include "journal/segment_header.h"

enum {
    WRITER_PARTS_MAX = 1000,          /* of one pwritev; the kernel takes 1024 */
    WRITER_SCRATCH_SIZE = 512 * 1024, /* small frames of a group are gathered here */
    WRITER_COPY_MAX = 2048, /* pieces up to this are copied there: cheaper than a part of their own */
};

/*
 * writer_group_begin, then for each frame writer_frame and for its bytes writer_put, then writer_write and writer_sync.
 * A failed write or sync is final: the writer is broken, and so is everything that was in the group.
 */
struct writer {
    struct clock *clock;
    struct fs_file *file; /* borrowed */
    uint64_t segment_size;
    uint32_t epoch_crc;
    uint32_t incarnation;
    uint64_t position;   /* where the next group begins */
    uint64_t synced_end; /* everything before it is synced */
    uint64_t lsn;        /* of the next frame */
    bool broken;
    bool header_is_due; /* the segment begins with the next group */
    int64_t sync_ns;    /* moving average of write + sync */
    int64_t write_began_ns;
    /* The group being built: */
    uint64_t group_lsn;
    uint64_t group_len;
    uint32_t group_frames;
    int part_count;
    size_t scratch_len;
    bool scratch_is_last; /* the last part lies in scratch and can grow */
    struct iovec *parts;
    uint8_t *scratch;
    uint8_t *tail;   /* a page: the synced bytes of the page that `position` is in */
    uint8_t *header; /* a page */
};

enum err writer_init(struct writer *writer, struct clock *clock) MUST_CHECK;
void writer_done(struct writer *writer);

/* Goes on in a segment that has begun; `tail` holds the page's bytes before `position`. */
void writer_resume(struct writer *writer,
                   struct fs_file *file,
                   const struct segment_header *header,
                   uint64_t position,
                   const uint8_t *tail);
/* The next group begins this segment: its header goes out with it. */
void writer_begin_segment(struct writer *writer, struct fs_file *file, const struct segment_header *header);

void writer_group_begin(struct writer *writer);
/* Whether frames of `len` bytes in all still fit into the segment, leaving `reserve` free behind them. */
bool writer_has_room(const struct writer *writer, uint64_t len, uint64_t reserve);
/* Fills in the frame header at `at` (its payload and zeroed pad stand behind it) and counts it. */
void writer_frame(struct writer *writer, uint8_t *at, enum frame_kind kind, uint8_t flags, size_t len);
/* The bytes go out with the group (and must stay until then, unless small); returns their position in the segment. */
uint64_t writer_put(struct writer *writer, uint8_t *bytes, size_t len);
/* A zeroed frame of `payload_len` in the scratch memory, put already: fill in the payload, then call writer_frame. */
uint8_t *writer_put_small(struct writer *writer, size_t payload_len, uint64_t *ret_position);
/* Hands the group to the kernel. IO, NO_SPACE ...: broken from now on. */
enum err writer_write(struct writer *writer, int64_t wall_ns) MUST_CHECK;
/* Makes all that was written durable; an error is as final. */
enum err writer_sync(struct writer *writer) MUST_CHECK;

#endif
