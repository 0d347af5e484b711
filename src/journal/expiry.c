/* Topic by topic, from its oldest segment on: later first offsets, while the files stay. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/expiry.h"

#include "journal/judgement.h"
#include "journal/retire.h"
#include "journal/topic_limit.h"

/*
 * 1. A pass goes over the sealed segments from the oldest on, a segment a step. It asks each topic that may have expired, and
 *    only where its oldest kept records may be (topic_expiry.from), so segments that nobody is asked about are not looked at.
 * 2. A topic that has not expired there is not asked again in this pass: its starts move from segment to segment, in order.
 * 3. One that has: a RETIRE frame with its starts, that names no segment. Once it is synced the same segment is looked at
 *    again, finds the topic gone, and the topic is asked in the next one.
 *
 * What the ceiling and a full disk force is not done here: it would give records up and set no byte free.
 */

/* A frame here may take the room of the one that sets a file free. */
static bool lacks_room(struct journal *journal)
{
    journal_lock(&journal->queue);
    bool lacks = journal->lacks_space || journal->is_blocked || journal->is_stuck;
    journal_unlock(&journal->queue);
    return lacks;
}

/* The first sealed one with this number or a higher one; NULL when the active one comes first. */
static struct segment *first_sealed(const struct segment_table *table, uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->segments[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < table->count && table->segments[low]->state == SEGMENT_INDEX_ONLY)
        low++;
    return low < table->count && table->segments[low]->state == SEGMENT_SEALED ? table->segments[low] : NULL;
}

/* Whether it is worth a look at the segment; what the catalog and the table say is enough for that. */
static bool may_expire(const struct judgement *judgement, struct topic *topic, const struct segment *segment)
{
    const struct journal_topic_settings *settings = topic_limit_settings(judgement->journal, topic);
    uint64_t bytes = topic_limit_bytes(topic);
    bool is_old = settings->retention_age_ns > 0 && judgement->age_counts &&
                  judgement->now_ns - segment->first_ns > settings->retention_age_ns;
    bool is_large = settings->retention_size > 0 && bytes > settings->retention_size;
    return bytes > 0 && (is_old || is_large || (settings->consumed && topic->limit.has_group));
}

static uint64_t oldest_number(const struct segment_table *table)
{
    uint32_t oldest = 0;
    while (oldest < table->count && table->segments[oldest]->state == SEGMENT_INDEX_ONLY)
        oldest++;
    return oldest < table->count ? table->segments[oldest]->number : UINT64_MAX;
}

/* Asks the topics; the lowest segment that any of them is asked about. NULL: the pass is over. */
static struct segment *ask_topics(const struct judgement *judgement)
{
    const struct journal *journal = judgement->journal;
    struct segment *lowest = NULL;
    uint64_t oldest = oldest_number(&journal->table);
    for (uint32_t i = 0; i < journal->catalog.topic_count; i++) {
        struct topic *topic = journal->catalog.topics[i];
        struct segment *segment =
            first_sealed(&journal->table, topic->expiry.from > oldest ? topic->expiry.from : oldest);
        bool is_asked = segment != NULL && segment->number >= journal->expiry_next &&
                        may_expire(judgement, topic, segment);
        topic->expiry.asked = is_asked ? segment->number : 0;
        if (is_asked && (lowest == NULL || segment->number < lowest->number))
            lowest = segment;
    }
    return lowest;
}

/* Those that were asked and have nothing there. */
static void pass_segment(struct journal *journal, const struct segment *segment)
{
    for (uint32_t i = 0; i < journal->catalog.topic_count; i++) {
        struct topic_expiry *expiry = &journal->catalog.topics[i]->expiry;
        if (expiry->asked == segment->number)
            expiry->from = segment->number + 1;
    }
}

/* The view lock is held. An error leaves the segment to the next pass. */
static enum err judge(struct judgement *judgement, struct segment *segment, struct list *frames)
{
    struct journal *journal = judgement->journal;
    journal->expiry_next = segment->number + 1;
    if (segment->index_file == NULL) /* it could not be written yet, or not be opened */
        return ERR_NONE;
    enum err err = judgement_of(judgement, segment);
    if (err != ERR_NONE)
        return err == ERR_AGAIN ? ERR_NONE : err;
    pass_segment(journal, segment);
    if (judgement->starts.len == 0)
        return ERR_NONE;
    err = retire_make_frames(journal, NULL, buffer_span(&judgement->starts), frames);
    if (err == ERR_NONE)
        journal->expiry_next = segment->number;
    return err;
}

bool expiry_step(struct journal *journal)
{
    struct judgement judgement;
    struct list frames;
    list_init(&frames);
    if (lacks_room(journal))
        return false;
    judgement_begin(&judgement, journal);
    judgement.only_asked = true;
    journal_lock(&journal->view);
    bool waits = journal->retires_under_way > 0;
    struct segment *segment = waits ? NULL : ask_topics(&judgement);
    enum err err = ERR_NONE;
    if (segment != NULL) {
        judgement_open_index(journal, segment);
        err = judge(&judgement, segment, &frames);
    } else if (!waits) {
        journal->expiry_next = 0;
    }
    journal_unlock(&journal->view);
    bool retires = !list_is_empty(&frames);
    retire_queue_frames(journal, &frames);
    if (retires)
        judgement_tell_dropped(&judgement, segment);
    if (err != ERR_NONE)
        journal_put_off(journal, err, "expiring records");
    judgement_end(&judgement);
    return segment != NULL;
}
