/* RETIRE frames, and the files they set free. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/retire.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/metric.h"

/* RETIRE: segments 4, starts 4, segment numbers 8 each (none or one), starts of 24 bytes each. */
enum { FIXED = 8 };

void retire_start_write(uint8_t *to, const struct retire_start *start)
{
    bytes_put_le32(to, start->topic);
    bytes_put_le32(to + 4, start->partition);
    bytes_put_le64(to + 8, start->offset);
    bytes_put_le64(to + 16, start->bytes);
}

uint8_t *retire_payload(uint64_t number, struct span starts, size_t *ret_len)
{
    size_t numbers = number == 0 ? 0 : 8;
    size_t len = FIXED + numbers + starts.len;
    uint8_t *payload = malloc(len);
    if (payload == NULL)
        return NULL;
    bytes_put_le32(payload, number == 0 ? 0 : 1);
    bytes_put_le32(payload + 4, (uint32_t)(starts.len / RETIRE_START_SIZE));
    if (number != 0)
        bytes_put_le64(payload + FIXED, number);
    if (starts.len > 0)
        memcpy(payload + FIXED + numbers, starts.data, starts.len);
    *ret_len = len;
    return payload;
}

bool retire_apply(struct catalog *catalog, struct span payload, uint64_t *ret_number)
{
    if (payload.len < FIXED)
        return false;
    uint32_t numbers = bytes_get_le32(payload.data);
    uint32_t starts = bytes_get_le32(payload.data + 4);
    if (numbers > 1 || payload.len != FIXED + numbers * 8 + (uint64_t)starts * RETIRE_START_SIZE)
        return false;
    *ret_number = numbers == 0 ? 0 : bytes_get_le64(payload.data + FIXED);
    const uint8_t *at = payload.data + FIXED + numbers * 8;
    for (uint32_t i = 0; i < starts; i++, at += RETIRE_START_SIZE) {
        struct partition *partition = catalog_partition(catalog, bytes_get_le32(at), bytes_get_le32(at + 4));
        if (partition == NULL)
            return false;
        uint64_t start = bytes_get_le64(at + 8);
        uint64_t gone = bytes_get_le64(at + 16);
        partition->start = start > partition->start ? start : partition->start;
        partition->bytes = gone < partition->bytes ? partition->bytes - gone : 0;
    }
    return true;
}

static void add_index_bytes(struct journal *journal, const struct segment *segment)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(name, segment->number, ".index");
    struct fs_file *file;
    struct fs_stat stat = {0};
    if (fs_open(journal->seams.fs, name, FS_OPEN_READ, &file) != ERR_NONE)
        return;
    if (file->ops->stat(file, &stat) == ERR_NONE)
        journal->index_only_bytes += stat.size;
    fs_close(file);
}

void retire_on_synced(struct journal *journal, struct segment *segment, struct span payload)
{
    uint64_t number;
    check(retire_apply(&journal->catalog, payload, &number));
    if (segment == NULL)
        return;
    segment_move(segment, SEGMENT_INDEX_ONLY);
    list_insert_last(&journal->discarded, &segment->link);
    metric_add(METRIC_SEGMENTS_RETIRED, 1);
    journal_wake_helper(journal);
}

void retire_adopt(struct journal *journal, struct segment *segment, bool has_file)
{
    if (has_file)
        list_insert_last(&journal->discarded, &segment->link);
    else
        add_index_bytes(journal, segment);
}

static uint32_t count_discarded(const struct journal *journal)
{
    uint32_t count = 0;
    LIST_EACH (&journal->discarded, link)
        count++;
    return count;
}

uint64_t retire_take_discarded(struct journal *journal, uint32_t spare)
{
    uint64_t number = 0;
    journal_lock(&journal->view);
    struct segment *segment =
        count_discarded(journal) <= spare ? NULL : LIST_OWNER(journal->discarded.next, struct segment, link);
    if (segment != NULL && segment->references == 0) {
        segment->file = fs_close(segment->file);
        list_remove(&segment->link);
        number = segment->number;
        add_index_bytes(journal, segment);
    }
    journal_unlock(&journal->view);
    return number;
}
