/* Frames about groups to bytes and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/outcome_frame.h"

enum { TIME_AT = 24, DEAD_OFFSET_AT = 40, SEEK_TIME_AT = 24 };

void frame_outcomes_write(uint8_t *payload, const struct frame_outcomes *outcomes)
{
    bytes_put_le32(payload, outcomes->group);
    bytes_put_le32(payload + 4, outcomes->topic);
    bytes_put_le32(payload + 8, outcomes->partition);
    payload[12] = outcomes->outcome;
    payload[13] = (uint8_t)outcomes->by.len;
    bytes_put_le16(payload + 14, outcomes->attempts);
    bytes_put_le32(payload + 16, outcomes->status);
    bytes_put_le32(payload + 20, outcomes->run_count);
    frame_outcomes_set_time(payload, outcomes->wall_ns);
    bytes_put_le32(payload + 32, outcomes->dead.topic);
    bytes_put_le32(payload + 36, outcomes->dead.partition);
    frame_outcomes_set_dead(payload, outcomes->dead.offset);
}

void frame_outcomes_put_run(uint8_t *to, uint64_t offset, uint32_t count)
{
    bytes_put_le64(to, offset);
    bytes_put_le32(to + 8, count);
    bytes_put_le32(to + 12, 0);
}

void frame_outcomes_set_time(uint8_t *payload, int64_t wall_ns)
{
    bytes_put_le64(payload + TIME_AT, (uint64_t)wall_ns);
}

void frame_outcomes_set_dead(uint8_t *payload, uint64_t offset)
{
    bytes_put_le64(payload + DEAD_OFFSET_AT, offset);
}

static bool runs_are_legal(const struct frame_outcomes *outcomes)
{
    for (uint32_t i = 0; i < outcomes->run_count; i++) {
        uint64_t offset;
        uint32_t count;
        frame_outcomes_at(outcomes, i, &offset, &count);
        if (count == 0 || offset > (uint64_t)INT64_MAX)
            return false;
    }
    return outcomes->run_count > 0;
}

bool frame_outcomes_read(struct span payload, struct frame_outcomes *ret_outcomes)
{
    if (payload.len < FRAME_OUTCOMES_FIXED)
        return false;
    const uint8_t *at = payload.data;
    struct frame_outcomes outcomes = {
        .group = bytes_get_le32(at),
        .topic = bytes_get_le32(at + 4),
        .partition = bytes_get_le32(at + 8),
        .outcome = at[12],
        .attempts = bytes_get_le16(at + 14),
        .status = bytes_get_le32(at + 16),
        .run_count = bytes_get_le32(at + 20),
        .wall_ns = (int64_t)bytes_get_le64(at + TIME_AT),
        .dead = {bytes_get_le32(at + 32), bytes_get_le32(at + 36), bytes_get_le64(at + DEAD_OFFSET_AT)},
    };
    uint64_t runs_len = (uint64_t)outcomes.run_count * FRAME_OUTCOME_RUN_SIZE;
    size_t by_len = at[13];
    if (outcomes.outcome == STORE_OUTCOME_OPEN || outcomes.outcome >= STORE_OUTCOME_COUNT ||
        by_len > STORE_BY_MAX || payload.len != FRAME_OUTCOMES_FIXED + runs_len + by_len)
        return false;
    outcomes.runs = span_of(at + FRAME_OUTCOMES_FIXED, (size_t)runs_len);
    outcomes.by = span_of(at + FRAME_OUTCOMES_FIXED + runs_len, by_len);
    *ret_outcomes = outcomes;
    return runs_are_legal(&outcomes);
}

void frame_outcomes_at(const struct frame_outcomes *outcomes,
                       uint32_t index,
                       uint64_t *ret_offset,
                       uint32_t *ret_count)
{
    check(index < outcomes->run_count);
    const uint8_t *at = outcomes->runs.data + (size_t)index * FRAME_OUTCOME_RUN_SIZE;
    *ret_offset = bytes_get_le64(at);
    *ret_count = bytes_get_le32(at + 8);
}

size_t frame_reader_write(uint8_t *payload, const struct frame_reader *reader)
{
    bytes_put_le32(payload, reader->id);
    bytes_put_le32(payload + 4, reader->state);
    bytes_put_le64(payload + 8, (uint64_t)reader->wall_ns);
    memcpy(payload + FRAME_READER_FIXED, reader->name.data, reader->name.len);
    return FRAME_READER_FIXED + reader->name.len;
}

bool frame_reader_read(struct span payload, struct frame_reader *ret_reader)
{
    if (payload.len <= FRAME_READER_FIXED)
        return false;
    *ret_reader = (struct frame_reader){
        .id = bytes_get_le32(payload.data),
        .state = bytes_get_le32(payload.data + 4),
        .wall_ns = (int64_t)bytes_get_le64(payload.data + 8),
        .name = span_after(payload, FRAME_READER_FIXED),
    };
    return ret_reader->state == FRAME_READER_MADE || ret_reader->state == FRAME_READER_FORGOTTEN;
}

void frame_seek_write(uint8_t *payload, const struct store_seek *seek)
{
    bytes_put_le32(payload, seek->group);
    bytes_put_le32(payload + 4, seek->topic);
    bytes_put_le32(payload + 8, seek->partition);
    bytes_put_le32(payload + 12, 0);
    bytes_put_le64(payload + 16, seek->offset);
    frame_seek_set_time(payload, 0);
}

void frame_seek_set_time(uint8_t *payload, int64_t wall_ns)
{
    bytes_put_le64(payload + SEEK_TIME_AT, (uint64_t)wall_ns);
}

bool frame_seek_read(struct span payload, struct store_seek *ret_seek, int64_t *ret_wall_ns)
{
    if (payload.len != FRAME_SEEK_SIZE)
        return false;
    *ret_seek = (struct store_seek){
        .group = bytes_get_le32(payload.data),
        .topic = bytes_get_le32(payload.data + 4),
        .partition = bytes_get_le32(payload.data + 8),
        .offset = bytes_get_le64(payload.data + 16),
    };
    *ret_wall_ns = (int64_t)bytes_get_le64(payload.data + SEEK_TIME_AT);
    return ret_seek->offset <= (uint64_t)INT64_MAX;
}

size_t frame_note_len(const struct store_note *note)
{
    return FRAME_NOTE_FIXED + note->key.len + (note->value.data == NULL ? 0 : note->value.len);
}

void frame_note_write(uint8_t *payload, const struct store_note *note)
{
    bool goes = note->value.data == NULL;
    bytes_put_le32(payload, (uint32_t)note->key.len);
    bytes_put_le32(payload + 4, goes ? FRAME_NOTE_GOES : (uint32_t)note->value.len);
    memcpy(payload + FRAME_NOTE_FIXED, note->key.data, note->key.len);
    if (!goes && note->value.len > 0)
        memcpy(payload + FRAME_NOTE_FIXED + note->key.len, note->value.data, note->value.len);
}

bool frame_note_read(struct span payload, struct store_note *ret_note)
{
    if (payload.len < FRAME_NOTE_FIXED)
        return false;
    uint32_t key_len = bytes_get_le32(payload.data);
    uint32_t value_len = bytes_get_le32(payload.data + 4);
    bool goes = value_len == FRAME_NOTE_GOES;
    value_len = goes ? 0 : value_len;
    if (key_len == 0 || key_len > STORE_NOTE_KEY_MAX || value_len > STORE_NOTE_VALUE_MAX ||
        payload.len != FRAME_NOTE_FIXED + (size_t)key_len + value_len)
        return false;
    const uint8_t *key = payload.data + FRAME_NOTE_FIXED;
    *ret_note = (struct store_note){.key = span_of(key, key_len)};
    if (!goes)
        ret_note->value = span_of(key + key_len, value_len);
    return true;
}
