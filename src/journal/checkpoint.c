/* Checkpoints: the catalog and the segment table as bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/checkpoint.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "journal/group_checkpoint.h"
#include "journal/segment_header.h"

enum {
    ENTRY_HEADER = CHECKPOINT_ENTRY_HEADER,
    JOURNAL_BODY = 16,
    TOPIC_BODY = 16,
    PARTITION_BODY = 32,
    SEQUENCE_BODY = 16,
    SUMMARY_SIZE = 24,
    SEGMENT_BODY = 72
};

static bool put_journal(struct buffer *buffer, const struct catalog *catalog)
{
    uint8_t *body = checkpoint_put_entry(buffer, CHECKPOINT_JOURNAL, JOURNAL_BODY);
    if (body != NULL)
        bytes_put_le32(body, catalog->groups.next_id);
    return body != NULL;
}

static bool put_topic(struct buffer *buffer, const struct topic *topic)
{
    size_t len = strlen(topic->public.name);
    uint8_t *body = checkpoint_put_entry(buffer, CHECKPOINT_TOPIC, TOPIC_BODY + len);
    if (body == NULL)
        return false;
    bytes_put_le32(body, topic->public.id);
    bytes_put_le32(body + 4, topic->public.partitions);
    bytes_put_le64(body + 8, (uint64_t)topic->created_ns);
    memcpy(body + TOPIC_BODY, topic->public.name, len);
    for (uint32_t i = 0; i < topic->public.partitions; i++) {
        const struct partition *partition = &topic->partitions[i];
        body = checkpoint_put_entry(buffer, CHECKPOINT_PARTITION, PARTITION_BODY);
        if (body == NULL)
            return false;
        bytes_put_le32(body, partition->topic);
        bytes_put_le32(body + 4, partition->partition);
        bytes_put_le64(body + 8, partition->start);
        bytes_put_le64(body + 16, partition->next);
        bytes_put_le64(body + 24, partition->bytes);
    }
    return true;
}

static bool put_sequence(struct buffer *buffer, uint32_t index, const struct sequence *sequence)
{
    uint8_t *body = checkpoint_put_entry(buffer, CHECKPOINT_SEQUENCE, SEQUENCE_BODY + sequence->name_len);
    if (body == NULL)
        return false;
    bytes_put_le32(body, index);
    bytes_put_le64(body + 8, sequence->highest);
    memcpy(body + SEQUENCE_BODY, sequence->name, sequence->name_len);
    return true;
}

static bool put_producer(struct buffer *buffer, const struct producer *producer)
{
    struct span id = catalog_producer_id(producer);
    uint8_t *body = checkpoint_put_entry(buffer, CHECKPOINT_PRODUCER, 24 + id.len);
    if (body == NULL)
        return false;
    bytes_put_le32(body, producer->sequence);
    bytes_put_le64(body + 8, producer->last);
    bytes_put_le64(body + 16, producer->lsn);
    memcpy(body + 24, id.data, id.len);
    return true;
}

size_t checkpoint_segment_size(uint32_t summary_count)
{
    return ENTRY_HEADER + SEGMENT_BODY + (size_t)summary_count * SUMMARY_SIZE;
}

uint64_t checkpoint_topics_size(uint64_t topics, uint64_t partitions)
{
    return topics * (ENTRY_HEADER + TOPIC_BODY + STORE_TOPIC_NAME_MAX) +
           partitions * (ENTRY_HEADER + PARTITION_BODY);
}

uint64_t checkpoint_sequences_size(void)
{
    return CATALOG_SEQUENCES_MAX * (ENTRY_HEADER + SEQUENCE_BODY + CATALOG_SEQUENCE_NAME_MAX);
}

static bool put_segment(struct buffer *buffer, const struct segment *segment)
{
    uint8_t *body = checkpoint_put_entry(buffer, CHECKPOINT_SEGMENT,
                                         SEGMENT_BODY + segment->summary_count * SUMMARY_SIZE);
    if (body == NULL)
        return false;
    bytes_put_le64(body, segment->number);
    bytes_put_le64(body + 8, segment->epoch);
    bytes_put_le64(body + 16, segment->end);
    bytes_put_le64(body + 24, segment->first_lsn);
    bytes_put_le64(body + 32, segment->last_lsn);
    bytes_put_le64(body + 40, (uint64_t)segment->first_ns);
    bytes_put_le64(body + 48, (uint64_t)segment->last_ns);
    bytes_put_le32(body + 56, segment->state == SEGMENT_INDEX_ONLY ? 2 : 1);
    bytes_put_le32(body + 60, segment->summary_count);
    bytes_put_le32(body + 64, segment->identity_count);
    bytes_put_le32(body + 68, (uint32_t)(segment->size / SEGMENT_PAGE));
    for (uint32_t i = 0; i < segment->summary_count; i++) {
        uint8_t *at = body + SEGMENT_BODY + i * SUMMARY_SIZE;
        bytes_put_le32(at, segment->summaries[i].sequence);
        bytes_put_le32(at + 4, segment->summaries[i].runs);
        bytes_put_le64(at + 8, segment->summaries[i].lowest);
        bytes_put_le64(at + 16, segment->summaries[i].highest);
    }
    return true;
}

enum err
checkpoint_write(struct buffer *buffer, const struct catalog *catalog, const struct segment_table *table)
{
    bool fine = put_journal(buffer, catalog);
    for (uint32_t i = 0; fine && i < catalog->topic_count; i++)
        fine = put_topic(buffer, catalog->topics[i]);
    for (uint32_t i = 0; fine && i < catalog->sequence_count; i++)
        fine = put_sequence(buffer, i, &catalog->sequences[i]);
    size_t position = 0;
    for (struct producer *producer; fine && (producer = map_next(&catalog->producers, &position)) != NULL;)
        fine = put_producer(buffer, producer);
    fine = fine && group_checkpoint_write(buffer, catalog);
    for (uint32_t i = 0; fine && i < table->count; i++)
        if (table->segments[i]->state != SEGMENT_ACTIVE)
            fine = put_segment(buffer, table->segments[i]);
    return fine ? ERR_NONE : ERR_MEMORY;
}

static enum err read_topic(struct span body, struct catalog *catalog)
{
    struct topic *topic;
    if (body.len < TOPIC_BODY)
        return ERR_DAMAGED;
    return catalog_topic_add(catalog, bytes_get_le32(body.data), span_after(body, TOPIC_BODY),
                             bytes_get_le32(body.data + 4), (int64_t)bytes_get_le64(body.data + 8), &topic);
}

static enum err read_partition(struct span body, struct catalog *catalog)
{
    if (body.len != PARTITION_BODY)
        return ERR_DAMAGED;
    uint32_t topic = bytes_get_le32(body.data);
    struct partition *partition = catalog_partition(catalog, topic, bytes_get_le32(body.data + 4));
    if (partition == NULL)
        return ERR_DAMAGED;
    partition->start = bytes_get_le64(body.data + 8);
    partition->next = partition->end = bytes_get_le64(body.data + 16);
    partition->bytes = bytes_get_le64(body.data + 24);
    return ERR_NONE;
}

static enum err read_sequence(struct span body, struct catalog *catalog)
{
    if (body.len < SEQUENCE_BODY)
        return ERR_DAMAGED;
    uint32_t index = bytes_get_le32(body.data);
    enum err err = catalog_sequence_add(catalog, index, span_after(body, SEQUENCE_BODY));
    if (err == ERR_NONE)
        catalog_sequence_raise(catalog, index, bytes_get_le64(body.data + 8));
    return err;
}

static enum err read_producer(struct span body, struct catalog *catalog)
{
    if (body.len <= 24 || body.len > 24 + STORE_PRODUCER_MAX)
        return ERR_DAMAGED;
    return catalog_producer_raise(catalog, bytes_get_le32(body.data), span_after(body, 24),
                                  bytes_get_le64(body.data + 8), bytes_get_le64(body.data + 16));
}

static void read_summaries(struct span bytes, struct segment *segment)
{
    for (uint32_t i = 0; i < segment->summary_count; i++) {
        const uint8_t *at = bytes.data + i * SUMMARY_SIZE;
        segment->summaries[i] = (struct segment_summary){
            .sequence = bytes_get_le32(at),
            .runs = bytes_get_le32(at + 4),
            .lowest = bytes_get_le64(at + 8),
            .highest = bytes_get_le64(at + 16),
        };
    }
}

static enum err read_segment(struct span body, struct segment_table *table)
{
    if (body.len < SEGMENT_BODY || bytes_get_le32(body.data + 60) > CATALOG_SEQUENCES_MAX ||
        body.len != SEGMENT_BODY + bytes_get_le32(body.data + 60) * SUMMARY_SIZE)
        return ERR_DAMAGED;
    uint64_t number = bytes_get_le64(body.data);
    const struct segment *last = segment_table_last(table);
    if (last != NULL && last->number >= number)
        return ERR_DAMAGED;
    struct segment *segment = segment_new(number, bytes_get_le64(body.data + 8));
    if (segment == NULL)
        return ERR_MEMORY;
    segment->end = bytes_get_le64(body.data + 16);
    segment->first_lsn = bytes_get_le64(body.data + 24);
    segment->last_lsn = bytes_get_le64(body.data + 32);
    segment->first_ns = (int64_t)bytes_get_le64(body.data + 40);
    segment->last_ns = (int64_t)bytes_get_le64(body.data + 48);
    segment->state = bytes_get_le32(body.data + 56) == 2 ? SEGMENT_INDEX_ONLY : SEGMENT_SEALED;
    segment->summary_count = bytes_get_le32(body.data + 60);
    segment->identity_count = bytes_get_le32(body.data + 64);
    segment->size = (uint64_t)bytes_get_le32(body.data + 68) * SEGMENT_PAGE;
    segment->summaries = calloc(segment->summary_count + 1, sizeof *segment->summaries);
    enum err err = segment->summaries == NULL ? ERR_MEMORY : segment_table_add(table, segment);
    if (err != ERR_NONE) {
        segment_free(segment);
        return err;
    }
    read_summaries(span_after(body, SEGMENT_BODY), segment);
    return ERR_NONE;
}

static enum err
read_entry(uint8_t type, struct span body, struct catalog *catalog, struct segment_table *table)
{
    switch (type) {
    case CHECKPOINT_READER: return group_checkpoint_read_reader(body, catalog);
    case CHECKPOINT_PROGRESS: return group_checkpoint_read_progress(body, catalog);
    case CHECKPOINT_NOTE: return group_checkpoint_read_note(body, catalog);
    case CHECKPOINT_TOPIC: return read_topic(body, catalog);
    case CHECKPOINT_PARTITION: return read_partition(body, catalog);
    case CHECKPOINT_SEQUENCE: return read_sequence(body, catalog);
    case CHECKPOINT_PRODUCER: return read_producer(body, catalog);
    case CHECKPOINT_SEGMENT: return read_segment(body, table);
    default: return ERR_NONE;
    }
}

enum err checkpoint_read(struct span bytes, struct catalog *catalog, struct segment_table *table)
{
    bool begun = false;
    uint32_t next_id = 0; /* 0: written before there were groups */
    while (bytes.len > 0) {
        if (bytes.len < ENTRY_HEADER)
            return ERR_DAMAGED;
        size_t len = bytes_get_le32(bytes.data + 4);
        if (len > bytes.len - ENTRY_HEADER)
            return ERR_DAMAGED;
        if (!begun && bytes.data[0] != CHECKPOINT_JOURNAL)
            return ERR_DAMAGED;
        if (!begun && len >= 4)
            next_id = bytes_get_le32(bytes.data + ENTRY_HEADER);
        begun = true;
        enum err err = read_entry(bytes.data[0], span_of(bytes.data + ENTRY_HEADER, len), catalog, table);
        if (err != ERR_NONE)
            return err == ERR_MEMORY ? err : ERR_DAMAGED;
        bytes = span_after(bytes, ENTRY_HEADER + len);
    }
    if (next_id > catalog->groups.next_id)
        catalog->groups.next_id = next_id;
    return begun ? ERR_NONE : ERR_DAMAGED;
}
