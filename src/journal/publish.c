/* Visible, posted back; or failed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/publish.h"

#include <stdlib.h>

#include "base/metric.h"
#include "journal/internal_frame.h"
#include "journal/outcome_block.h"
#include "journal/outcome_frame.h"
#include "journal/retire.h"
#include "journal/topic_limit.h"

static enum err index_part(struct journal *journal,
                           const struct store_append *append,
                           const struct store_part *part,
                           int64_t wall_ns)
{
    const struct partition *partition = catalog_partition(&journal->catalog, part->topic, part->partition);
    struct index_batch batch = {
        .slot = partition->slot,
        .records = part->records,
        .base_offset = part->ret_base_offset,
        .position = (uint32_t)(append->place + part->position - STORE_PART_HEADROOM),
        .len = (uint32_t)frame_padded(STORE_PART_HEADROOM + part->len),
        .wall_ns = wall_ns,
    };
    return segment_index_add_batch(segment_table_active(&journal->table)->index, &batch);
}

/* Where each number of the append stands. */
static enum err index_places(struct journal *journal, const struct store_append *append, int64_t wall_ns)
{
    if (append->run_count == 0 || append->part_count > UINT16_MAX)
        return ERR_NONE;
    buffer_clear(&journal->batches);
    enum err err = buffer_reserve(&journal->batches, append->part_count * sizeof(struct place_batch));
    if (err != ERR_NONE)
        return err;
    struct place_batch *batches = (struct place_batch *)(void *)journal->batches.data;
    for (uint32_t i = 0; i < append->part_count; i++) {
        const struct store_part *part = &append->parts[i];
        batches[i] = (struct place_batch){part->topic, part->partition, part->ret_base_offset, part->records};
    }
    struct place_append about = {
        .sequence = append->sequence,
        .runs = append->runs,
        .run_count = append->run_count,
        .places = append->places,
        .place_count = append->place_count,
        .batches = batches,
        .batch_count = append->part_count,
        .wall_ns = wall_ns,
    };
    return segment_index_add_places(segment_table_active(&journal->table)->index, &about);
}

static enum err raise_producer(struct journal *journal, const struct store_append *append, uint64_t last)
{
    return catalog_producer_raise(&journal->catalog, append->sequence, append->producer, last,
                                  journal->writer.lsn);
}

/* All that may fail; nobody sees it yet. */
static enum err index_append(struct journal *journal, const struct store_append *append, int64_t wall_ns)
{
    struct segment_index *index = segment_table_active(&journal->table)->index;
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < append->part_count; i++)
        err = index_part(journal, append, &append->parts[i], wall_ns);
    for (uint32_t i = 0; err == ERR_NONE && i < append->run_count; i++)
        if (append->runs[i].from > 0)
            err =
                segment_index_add_runs(index, append->sequence, &append->runs[i], 1, (uint32_t)append->place);
    if (err == ERR_NONE)
        err = index_places(journal, append, wall_ns);
    for (uint32_t i = 0; err == ERR_NONE && i < append->identity_count; i++) {
        err = segment_index_add_identity(index, append->identities[i], wall_ns);
        identity_window_remove(&journal->pending_identities, append->identities[i]);
    }
    if (err == ERR_NONE && append->producer.len > 0)
        err = raise_producer(journal, append, 0); /* it is there now: raising it will not fail */
    return err;
}

static enum err
publish_append(struct journal *journal, const struct settle *settle, const struct store_append *append)
{
    enum err err = index_append(journal, append, settle->wall_ns);
    if (err == ERR_NONE && append->own != NULL)
        err = outcome_block_publish(settle, append,
                                    append->own); /* may fail, so its records are not seen yet */
    if (err == ERR_NONE && append->producer.len > 0)
        err = raise_producer(journal, append, append->producer_last);
    if (err != ERR_NONE)
        return err;
    for (uint32_t i = 0; i < append->part_count; i++) {
        const struct store_part *part = &append->parts[i];
        struct partition *partition = catalog_partition(&journal->catalog, part->topic, part->partition);
        partition->end = part->ret_base_offset + part->records;
        partition->bytes += frame_padded(STORE_PART_HEADROOM + part->len);
        metric_add(METRIC_RECORDS_STORED, part->records);
        metric_add(METRIC_BYTES_STORED, part->len);
        topic_limit_note(journal, part->topic);
    }
    for (uint32_t i = 0; i < append->run_count; i++)
        if (append->runs[i].from > 0)
            catalog_sequence_raise(&journal->catalog, append->sequence,
                                   append->runs[i].from + append->runs[i].count - 1);
    return ERR_NONE;
}

static enum err
publish_frame(struct journal *journal, const struct settle *settle, const struct internal_frame *frame)
{
    struct span payload = span_of(frame->payload, frame->payload_len);
    struct frame_reader reader;
    if (frame->kind == FRAME_RETIRE)
        return retire_on_synced(journal, settle, frame->segment, payload);
    if (frame->kind == FRAME_READER && frame_reader_read(payload, &reader) &&
        reader.state == FRAME_READER_FORGOTTEN)
        group_book_remove(&journal->catalog.groups, reader.id);
    return ERR_NONE;
}

/* The journal's own frames stand before the appends of their group. */
static enum err publish_internal(struct journal *journal, const struct settle *settle)
{
    enum err err = ERR_NONE;
    LIST_EACH_SAFE (&journal->group_frames, link) {
        struct internal_frame *frame = LIST_OWNER(link, struct internal_frame, link);
        list_remove(link);
        if (err == ERR_NONE)
            err = publish_frame(journal, settle, frame);
        free(frame);
    }
    return err;
}

/* Readers see the group from here on. MEMORY: the index lost an entry, so nothing more can be promised. */
enum err publish_group(struct journal *journal, int64_t wall_ns)
{
    journal_lock(&journal->view);
    struct segment *active = segment_table_active(&journal->table);
    struct settle settle = {&journal->catalog, active->index, wall_ns};
    enum err err = publish_internal(journal, &settle);
    LIST_EACH (&journal->group, link)
        if (err == ERR_NONE)
            err = publish_append(journal, &settle, LIST_OWNER(link, struct store_append, mail.link));
    topic_limit_update(journal);
    active->end = journal->writer.position;
    active->last_lsn = journal->writer.lsn - 1;
    active->first_ns = active->first_ns == 0 ? wall_ns : active->first_ns;
    active->last_ns = wall_ns > active->last_ns ? wall_ns : active->last_ns;
    journal_unlock(&journal->view);
    if (!list_is_empty(&journal->group))
        journal_post_watches(journal);
    return err;
}

/* Posts the group's appends back, those of one mailbox in one go. */
void publish_complete(struct journal *journal, struct list *appends, enum err err)
{
    uint64_t bytes[2] = {0}; /* of the others, of the urgent ones */
    uint32_t counts[2] = {0};
    LIST_EACH (appends, link) {
        struct store_append *append = LIST_OWNER(link, struct store_append, mail.link);
        struct outcome_block *block = append->own;
        append->ret_err = err;
        bytes[append->urgent] += store_append_size(append) + (block == NULL ? 0 : block->len);
        counts[append->urgent]++;
        append->own = outcome_block_free(block);
    }
    journal_lock(&journal->queue);
    journal->inflight_bytes -= bytes[false];
    journal->urgent_bytes -= bytes[true];
    journal->urgent_count -= counts[true];
    journal->inflight_count -= counts[false] + counts[true];
    metric_set(METRIC_INFLIGHT_BYTES, (int64_t)(journal->inflight_bytes + journal->urgent_bytes));
    journal_unlock(&journal->queue);
    while (!list_is_empty(appends)) {
        struct mailbox *target = LIST_OWNER(appends->next, struct store_append, mail.link)->reply_to;
        struct list mails;
        list_init(&mails);
        LIST_EACH_SAFE (appends, link) {
            if (LIST_OWNER(link, struct store_append, mail.link)->reply_to != target)
                continue;
            list_remove(link);
            list_insert_last(&mails, link);
        }
        mailbox_post_all(target, &mails);
    }
}

/* --- Failing -------------------------------------------------------------------------------------- */

void publish_failure(struct journal *journal, enum err err)
{
    struct list failed;
    list_init(&failed);
    list_move_all(&failed, &journal->group);
    journal_lock(&journal->queue);
    list_move_all(&failed, &journal->urgent);
    list_move_all(&failed, &journal->express);
    list_move_all(&failed, &journal->bulk);
    list_move_all(&journal->group_frames, &journal->internal);
    journal_unlock(&journal->queue);
    LIST_EACH_SAFE (&journal->group_frames, link) {
        list_remove(link);
        free(LIST_OWNER(link, struct internal_frame, link));
    }
    publish_complete(journal, &failed, err);
}

void publish_broken(struct journal *journal, enum err err, const char *doing)
{
    journal->writer.broken = true;
    atomic_store(&journal->covered, true); /* nothing covers it any more */
    journal_lock(&journal->queue);
    bool is_new = journal->state != STORE_BROKEN;
    journal->state = STORE_BROKEN;
    (void)why_set(&journal->state_why, err, "%s failed (%s): restart to recover what was synced", doing,
                  err_text(err));
    journal_unlock(&journal->queue);
    metric_set(METRIC_JOURNAL_BROKEN, 1);
    if (is_new)
        journal_tell(journal, JOURNAL_EVENT_BROKEN, "doing=\"%s\" err=%s", doing, err_name(err));
    publish_failure(journal, ERR_BROKEN);
    journal_post_watches(journal);
}
