/* Entries of an index file to bytes and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/index_entry.h"

#include <string.h>

#include "base/bytes.h"

void index_partition_write(uint8_t *to, const struct index_partition *partition)
{
    bytes_put_le32(to, partition->topic);
    bytes_put_le32(to + 4, partition->partition);
    bytes_put_le64(to + 8, partition->summary.first_offset);
    bytes_put_le64(to + 16, partition->summary.end_offset);
    bytes_put_le64(to + 24, partition->summary.bytes);
    bytes_put_le64(to + 32, (uint64_t)partition->summary.first_ns);
    bytes_put_le64(to + 40, (uint64_t)partition->summary.last_ns);
    bytes_put_le32(to + 48, partition->extent_first);
    bytes_put_le32(to + 52, partition->extent_count);
}

void index_partition_read(const uint8_t *from, struct index_partition *ret_partition)
{
    *ret_partition = (struct index_partition){
        .topic = bytes_get_le32(from),
        .partition = bytes_get_le32(from + 4),
        .summary = {.first_offset = bytes_get_le64(from + 8),
                    .end_offset = bytes_get_le64(from + 16),
                    .bytes = bytes_get_le64(from + 24),
                    .first_ns = (int64_t)bytes_get_le64(from + 32),
                    .last_ns = (int64_t)bytes_get_le64(from + 40)},
        .extent_first = bytes_get_le32(from + 48),
        .extent_count = bytes_get_le32(from + 52),
    };
}

void index_extent_write(uint8_t *to, const struct index_extent *extent)
{
    bytes_put_le64(to, extent->base_offset);
    bytes_put_le32(to + 8, extent->position);
    bytes_put_le32(to + 12, extent->len);
    bytes_put_le64(to + 16, (uint64_t)extent->wall_ns);
}

void index_extent_read(const uint8_t *from, struct index_extent *ret_extent)
{
    *ret_extent = (struct index_extent){
        .base_offset = bytes_get_le64(from),
        .position = bytes_get_le32(from + 8),
        .len = bytes_get_le32(from + 12),
        .wall_ns = (int64_t)bytes_get_le64(from + 16),
    };
}

void index_sequence_write(uint8_t *to, const struct index_sequence *sequence)
{
    bytes_put_le32(to, sequence->sequence);
    bytes_put_le32(to + 4, sequence->run_first);
    bytes_put_le32(to + 8, sequence->run_count);
    bytes_put_le32(to + 12, sequence->merged_count);
    bytes_put_le64(to + 16, sequence->lowest);
    bytes_put_le64(to + 24, sequence->highest);
}

void index_sequence_read(const uint8_t *from, struct index_sequence *ret_sequence)
{
    *ret_sequence = (struct index_sequence){
        .sequence = bytes_get_le32(from),
        .run_first = bytes_get_le32(from + 4),
        .run_count = bytes_get_le32(from + 8),
        .merged_count = bytes_get_le32(from + 12),
        .lowest = bytes_get_le64(from + 16),
        .highest = bytes_get_le64(from + 24),
    };
}

void index_run_write(uint8_t *to, const struct run *run)
{
    bytes_put_le64(to, run->from);
    bytes_put_le32(to + 8, run->count);
    bytes_put_le32(to + 12, run->position);
}

bool index_run_read(const uint8_t *from, struct run *ret_run)
{
    struct run run = {
        .from = bytes_get_le64(from),
        .count = bytes_get_le32(from + 8),
        .position = bytes_get_le32(from + 12),
    };
    if (!run_is_legal(run.from, run.count) || run.count > RUN_COUNT_MAX)
        return false;
    *ret_run = run;
    return true;
}

void index_place_sequence_write(uint8_t *to, const struct index_place_sequence *sequence)
{
    bytes_put_le32(to, sequence->sequence);
    bytes_put_le32(to + 4, sequence->run_first);
    bytes_put_le32(to + 8, sequence->run_count);
    bytes_put_le32(to + 12, sequence->longest);
}

void index_place_sequence_read(const uint8_t *from, struct index_place_sequence *ret_sequence)
{
    *ret_sequence = (struct index_place_sequence){
        .sequence = bytes_get_le32(from),
        .run_first = bytes_get_le32(from + 4),
        .run_count = bytes_get_le32(from + 8),
        .longest = bytes_get_le32(from + 12),
    };
}

void index_spot_write(uint8_t *to, const struct place_spot *spot)
{
    bytes_put_le32(to, spot->topic);
    bytes_put_le32(to + 4, spot->partition);
    bytes_put_le64(to + 8, spot->shift);
    bytes_put_le64(to + 16, (uint64_t)spot->wall_ns);
}

void index_spot_read(const uint8_t *from, struct place_spot *ret_spot)
{
    *ret_spot = (struct place_spot){
        .topic = bytes_get_le32(from),
        .partition = bytes_get_le32(from + 4),
        .shift = bytes_get_le64(from + 8),
        .wall_ns = (int64_t)bytes_get_le64(from + 16),
    };
}

void index_batch_write(uint8_t *to, const struct place_batch *batch)
{
    bytes_put_le32(to, batch->topic);
    bytes_put_le32(to + 4, batch->partition);
    bytes_put_le64(to + 8, batch->base_offset);
}

void index_batch_read(const uint8_t *from, struct place_batch *ret_batch)
{
    *ret_batch = (struct place_batch){
        .topic = bytes_get_le32(from),
        .partition = bytes_get_le32(from + 4),
        .base_offset = bytes_get_le64(from + 8),
    };
}

void index_place_write(uint8_t *to, const struct place_entry *entry)
{
    bytes_put_le16(to, entry->batch);
    bytes_put_le16(to + 2, entry->record);
}

void index_place_read(const uint8_t *from, struct place_entry *ret_entry)
{
    *ret_entry = (struct place_entry){bytes_get_le16(from), bytes_get_le16(from + 2)};
}

void index_outcomes_write(uint8_t *to, const struct index_outcomes *outcomes)
{
    bytes_put_le32(to, outcomes->key.group);
    bytes_put_le32(to + 4, outcomes->key.topic);
    bytes_put_le32(to + 8, outcomes->key.partition);
    bytes_put_le32(to + 12, outcomes->run_first);
    bytes_put_le32(to + 16, outcomes->run_count);
    bytes_put_le32(to + 20, outcomes->longest);
    bytes_put_le64(to + 24, outcomes->lowest);
    bytes_put_le64(to + 32, outcomes->highest);
}

void index_outcomes_read(const uint8_t *from, struct index_outcomes *ret_outcomes)
{
    *ret_outcomes = (struct index_outcomes){
        .key = {bytes_get_le32(from), bytes_get_le32(from + 4), bytes_get_le32(from + 8)},
        .run_first = bytes_get_le32(from + 12),
        .run_count = bytes_get_le32(from + 16),
        .longest = bytes_get_le32(from + 20),
        .lowest = bytes_get_le64(from + 24),
        .highest = bytes_get_le64(from + 32),
    };
}

void index_mark_write(uint8_t *to, const struct outcome_mark *mark)
{
    to[0] = mark->outcome;
    to[1] = mark->by_len;
    bytes_put_le16(to + 2, mark->attempts);
    bytes_put_le32(to + 4, mark->status);
    bytes_put_le64(to + 8, (uint64_t)mark->at_ns);
    bytes_put_le32(to + 16, mark->dead_topic);
    bytes_put_le32(to + 20, mark->dead_partition);
    bytes_put_le64(to + 24, mark->dead_shift);
    memcpy(to + 32, mark->by, sizeof mark->by);
}

bool index_mark_read(const uint8_t *from, struct outcome_mark *ret_mark)
{
    *ret_mark = (struct outcome_mark){
        .outcome = from[0],
        .by_len = from[1],
        .attempts = bytes_get_le16(from + 2),
        .status = bytes_get_le32(from + 4),
        .at_ns = (int64_t)bytes_get_le64(from + 8),
        .dead_topic = bytes_get_le32(from + 16),
        .dead_partition = bytes_get_le32(from + 20),
        .dead_shift = bytes_get_le64(from + 24),
    };
    memcpy(ret_mark->by, from + 32, sizeof ret_mark->by);
    return ret_mark->outcome > STORE_OUTCOME_OPEN && ret_mark->outcome < STORE_OUTCOME_COUNT &&
           ret_mark->by_len <= sizeof ret_mark->by;
}

void index_identity_write(uint8_t *to, const struct index_identity *identity)
{
    bytes_put_le64(to, (uint64_t)identity->wall_ns);
    memcpy(to + 8, identity->hash, sizeof identity->hash);
}

void index_identity_read(const uint8_t *from, struct index_identity *ret_identity)
{
    ret_identity->wall_ns = (int64_t)bytes_get_le64(from);
    memcpy(ret_identity->hash, from + 8, sizeof ret_identity->hash);
}
