/* RETIRE frames made and applied, and the files they set free. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/retire.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/metric.h"
#include "journal/internal_frame.h"

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

/* MEMORY: some of them are in the list. */
static enum err make_frames(struct segment *segment, struct span starts, struct list *frames)
{
    bool is_last = false;
    while (!is_last) {
        size_t len = starts.len < RETIRE_STARTS_MAX ? starts.len : RETIRE_STARTS_MAX;
        is_last = len == starts.len;
        struct segment *named = is_last ? segment : NULL;
        size_t payload_len;
        uint8_t *payload =
            retire_payload(named == NULL ? 0 : named->number, span_of(starts.data, len), &payload_len);
        if (payload == NULL)
            return ERR_MEMORY;
        struct internal_frame *frame = internal_frame_new(FRAME_RETIRE, named, span_of(payload, payload_len));
        free(payload);
        if (frame == NULL)
            return ERR_MEMORY;
        list_insert_last(frames, &frame->link);
        starts = span_after(starts, len);
    }
    return ERR_NONE;
}

enum err
retire_make_frames(struct journal *journal, struct segment *segment, struct span starts, struct list *frames)
{
    enum err err = make_frames(segment, starts, frames);
    LIST_EACH_SAFE (frames, link) {
        journal->retires_under_way += err == ERR_NONE;
        if (err == ERR_NONE)
            continue;
        list_remove(link);
        free(LIST_OWNER(link, struct internal_frame, link));
    }
    return err;
}

void retire_queue_frames(struct journal *journal, struct list *frames)
{
    LIST_EACH_SAFE (frames, link) {
        list_remove(link);
        internal_frame_queue(journal, LIST_OWNER(link, struct internal_frame, link));
    }
}

static enum err apply_start(const struct settle *settle, const uint8_t *at)
{
    struct partition *partition =
        catalog_partition(settle->catalog, bytes_get_le32(at), bytes_get_le32(at + 4));
    if (partition == NULL)
        return ERR_BAD_INPUT;
    uint64_t start = bytes_get_le64(at + 8);
    uint64_t gone = bytes_get_le64(at + 16);
    partition->start = start > partition->start ? start : partition->start;
    partition->bytes = gone < partition->bytes ? partition->bytes - gone : 0;
    return settle_expired(settle, partition);
}

enum err retire_apply(const struct settle *settle, struct span payload, uint64_t *ret_number)
{
    if (payload.len < FIXED)
        return ERR_BAD_INPUT;
    uint32_t numbers = bytes_get_le32(payload.data);
    uint32_t starts = bytes_get_le32(payload.data + 4);
    if (numbers > 1 || payload.len != FIXED + numbers * 8 + (uint64_t)starts * RETIRE_START_SIZE)
        return ERR_BAD_INPUT;
    *ret_number = numbers == 0 ? 0 : bytes_get_le64(payload.data + FIXED);
    const uint8_t *at = payload.data + FIXED + numbers * 8;
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < starts; i++, at += RETIRE_START_SIZE)
        err = apply_start(settle, at);
    return err;
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

enum err retire_on_synced(struct journal *journal,
                          const struct settle *settle,
                          struct segment *segment,
                          struct span payload)
{
    uint64_t number;
    enum err err = retire_apply(settle, payload, &number);
    check(err != ERR_BAD_INPUT && journal->retires_under_way > 0);
    if (err != ERR_NONE)
        return err;
    journal->retires_under_way--;
    journal_wake_helper(journal); /* it did not judge meanwhile */
    if (segment == NULL)
        return ERR_NONE;
    segment_move(segment, SEGMENT_INDEX_ONLY);
    list_insert_last(&journal->discarded, &segment->link);
    metric_add(METRIC_SEGMENTS_RETIRED, 1);
    return ERR_NONE;
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
