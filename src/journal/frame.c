/* Frames to bytes and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/frame.h"

#include "base/hash.h"

uint32_t frame_crc_of_epoch(uint64_t epoch)
{
    uint8_t bytes[8];
    bytes_put_le64(bytes, epoch);
    return hash_crc32c(span_of(bytes, sizeof bytes), 0);
}

static uint32_t crc_of(const uint8_t *frame, size_t len, uint32_t epoch_crc)
{
    return hash_crc32c(span_of(frame + 4, frame_padded(len) - 4), epoch_crc);
}

void frame_write(uint8_t *to, const struct frame *frame, uint32_t epoch_crc)
{
    bytes_put_le32(to + 4, frame->len);
    to[8] = frame->kind;
    to[9] = frame->flags;
    bytes_put_le16(to + 10, 0);
    bytes_put_le32(to + 12, frame->incarnation);
    bytes_put_le64(to + 16, frame->lsn);
    bytes_put_le32(to, crc_of(to, frame->len, epoch_crc));
}

struct frame frame_peek(const uint8_t *from)
{
    return (struct frame){
        .len = bytes_get_le32(from + 4),
        .kind = from[8],
        .flags = from[9],
        .incarnation = bytes_get_le32(from + 12),
        .lsn = bytes_get_le64(from + 16),
    };
}

bool frame_read(struct span bytes, uint32_t epoch_crc, struct frame *ret_frame)
{
    if (bytes.len < FRAME_HEADER_SIZE)
        return false;
    struct frame frame = frame_peek(bytes.data);
    if (frame.len < FRAME_HEADER_SIZE || frame.len > bytes.len || frame_padded(frame.len) > bytes.len)
        return false;
    if (frame.kind == 0 || bytes_get_le16(bytes.data + 10) != 0)
        return false;
    if (bytes_get_le32(bytes.data) != crc_of(bytes.data, frame.len, epoch_crc))
        return false;
    frame.payload = span_of(bytes.data + FRAME_HEADER_SIZE, frame.len - FRAME_HEADER_SIZE);
    *ret_frame = frame;
    return true;
}

void frame_group_write(uint8_t *payload, const struct frame_group *group)
{
    bytes_put_le64(payload, group->synced_end);
    bytes_put_le64(payload + 8, group->len);
    bytes_put_le64(payload + 16, (uint64_t)group->wall_ns);
    bytes_put_le32(payload + 24, group->frames);
    bytes_put_le32(payload + 28, 0);
}

bool frame_group_read(struct span payload, struct frame_group *ret_group)
{
    if (payload.len != FRAME_GROUP_SIZE - FRAME_HEADER_SIZE)
        return false;
    *ret_group = (struct frame_group){
        .synced_end = bytes_get_le64(payload.data),
        .len = bytes_get_le64(payload.data + 8),
        .wall_ns = (int64_t)bytes_get_le64(payload.data + 16),
        .frames = bytes_get_le32(payload.data + 24),
    };
    return true;
}

void frame_batch_write(uint8_t *payload, const struct frame_batch *batch)
{
    bytes_put_le32(payload, batch->topic);
    bytes_put_le32(payload + 4, batch->partition);
    bytes_put_le64(payload + 8, (uint64_t)batch->wall_ns);
    bytes_put_le32(payload + 16, batch->records);
    bytes_put_le32(payload + 20, 0);
}

bool frame_batch_read(struct span payload, struct frame_batch *ret_batch)
{
    if (payload.len < FRAME_BATCH_PREFIX)
        return false;
    *ret_batch = (struct frame_batch){
        .topic = bytes_get_le32(payload.data),
        .partition = bytes_get_le32(payload.data + 4),
        .wall_ns = (int64_t)bytes_get_le64(payload.data + 8),
        .records = bytes_get_le32(payload.data + 16),
        .batch = span_after(payload, FRAME_BATCH_PREFIX),
    };
    return true;
}

size_t frame_runs_len(const struct store_append *append)
{
    return FRAME_RUNS_FIXED + (size_t)append->run_count * FRAME_RUN_SIZE + append->producer.len +
           (size_t)append->place_count * FRAME_PLACE_SIZE;
}

void frame_runs_write(uint8_t *payload, const struct store_append *append)
{
    bytes_put_le32(payload, append->sequence);
    bytes_put_le32(payload + 4, append->run_count);
    bytes_put_le64(payload + 8, append->producer_last);
    bytes_put_le32(payload + 16, (uint32_t)append->producer.len);
    bytes_put_le32(payload + 20, append->place_count);
    uint8_t *at = payload + FRAME_RUNS_FIXED;
    for (uint32_t i = 0; i < append->run_count; i++, at += FRAME_RUN_SIZE) {
        bytes_put_le64(at, append->runs[i].from);
        bytes_put_le64(at + 8, append->runs[i].count);
    }
    if (append->producer.len > 0)
        memcpy(at, append->producer.data, append->producer.len);
    at += append->producer.len;
    for (uint32_t i = 0; i < append->place_count; i++, at += FRAME_PLACE_SIZE)
        bytes_put_le16(at, append->places[i]);
}

bool frame_runs_read(struct span payload, struct frame_runs *ret_runs)
{
    if (payload.len < FRAME_RUNS_FIXED)
        return false;
    uint64_t runs_len = (uint64_t)bytes_get_le32(payload.data + 4) * FRAME_RUN_SIZE;
    uint64_t producer_len = bytes_get_le32(payload.data + 16);
    uint32_t place_count = bytes_get_le32(payload.data + 20);
    uint64_t places_len = (uint64_t)place_count * FRAME_PLACE_SIZE;
    if (payload.len != FRAME_RUNS_FIXED + runs_len + producer_len + places_len)
        return false;
    const uint8_t *producer = payload.data + FRAME_RUNS_FIXED + runs_len;
    *ret_runs = (struct frame_runs){
        .sequence = bytes_get_le32(payload.data),
        .run_count = bytes_get_le32(payload.data + 4),
        .producer_last = bytes_get_le64(payload.data + 8),
        .runs = span_of(payload.data + FRAME_RUNS_FIXED, (size_t)runs_len),
        .producer = span_of(producer, (size_t)producer_len),
        .place_count = place_count,
        .places = span_of(producer + producer_len, (size_t)places_len),
    };
    return true;
}

struct store_run frame_runs_at(const struct frame_runs *runs, uint32_t index)
{
    check(index < runs->run_count);
    const uint8_t *at = runs->runs.data + (size_t)index * FRAME_RUN_SIZE;
    return (struct store_run){bytes_get_le64(at), bytes_get_le64(at + 8)};
}
