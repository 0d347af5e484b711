/* The directory of a segment's index, summed by topic and held against the settings. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/judgement.h"

#include "base/metric.h"
#include "journal/hold.h"
#include "journal/retire.h"
#include "journal/seal.h"
#include "journal/topic_limit.h"

#define CLOCK_JUMP_NS    (300 * CLOCK_NS_PER_S)
#define CLOCK_SUSPEND_NS (3600 * CLOCK_NS_PER_S)

void judgement_begin(struct judgement *judgement, struct journal *journal)
{
    *judgement = (struct judgement){
        .journal = journal,
        .now_ns = clock_wall_ns(journal->seams.clock),
        .age_counts = judgement_age_counts(journal),
        .topic = {.id = UINT32_MAX},
    };
}

void judgement_end(struct judgement *judgement)
{
    buffer_done(&judgement->starts);
}

/* The sums of one topic are complete: has it expired in this segment? */
static bool has_expired(const struct judgement *judgement, struct topic *topic)
{
    const struct judged_topic *sums = &judgement->topic;
    const struct journal_topic_settings *settings = topic_limit_settings(judgement->journal, topic);
    bool is_old = settings->retention_age_ns > 0 && judgement->age_counts &&
                  judgement->now_ns - sums->last_ns > settings->retention_age_ns;
    bool is_large =
        settings->retention_size > 0 && topic_limit_bytes(topic) >= settings->retention_size + sums->bytes;
    bool drops = settings->when_full == JOURNAL_DROP_OLDEST;
    bool is_over = is_large || judgement->is_forced || (drops && judgement->lacks_space);
    if (sums->is_held)
        return drops && is_over;
    return is_old || is_over || (settings->consumed && topic->limit.has_group);
}

static void judge_topic(struct judgement *judgement)
{
    const struct judged_topic *sums = &judgement->topic;
    if (sums->id == UINT32_MAX)
        return;
    struct topic *topic = judgement->journal->catalog.topics[sums->id];
    bool expires = has_expired(judgement, topic);
    if (sums->is_held && (expires || !judgement->only_asked))
        judgement->holder = sums->holder;
    if (judgement->only_asked)
        topic->expiry.asked = 0;
    if (expires) {
        judgement->dropped += sums->needed;
        return;
    }
    judgement->is_kept = true;
    judgement->starts.len = sums->starts_from;
}

static void note_start(struct judgement *judgement, const struct index_partition *partition)
{
    if (judgement->err == ERR_NONE)
        judgement->err = buffer_reserve(&judgement->starts, RETIRE_START_SIZE);
    if (judgement->err != ERR_NONE)
        return;
    struct retire_start start = {
        .topic = partition->topic,
        .partition = partition->partition,
        .offset = partition->summary.end_offset,
        .bytes = partition->summary.bytes,
    };
    retire_start_write(judgement->starts.data + judgement->starts.len, &start);
    judgement->starts.len += RETIRE_START_SIZE;
}

/* Records that are kept and to be judged. */
static bool concerns(const struct judgement *judgement,
                     const struct segment *segment,
                     const struct index_partition *about)
{
    const struct catalog *catalog = &judgement->journal->catalog;
    const struct partition *partition = catalog_partition(catalog, about->topic, about->partition);
    if (partition == NULL || about->summary.bytes == 0 || about->summary.end_offset <= partition->start)
        return false;
    return !judgement->only_asked || catalog->topics[about->topic]->expiry.asked == segment->number;
}

struct look {
    struct judgement *judgement;
    const struct segment *segment;
};

static void on_partition(void *owner, const struct index_partition *partition)
{
    const struct look *look = owner;
    struct judgement *judgement = look->judgement;
    struct judged_topic *sums = &judgement->topic;
    if (!concerns(judgement, look->segment, partition))
        return;
    if (partition->topic != sums->id) {
        judge_topic(judgement);
        *sums = (struct judged_topic){
            .id = partition->topic, .last_ns = INT64_MIN, .starts_from = judgement->starts.len};
    }
    sums->bytes += partition->summary.bytes;
    if (partition->summary.last_ns > sums->last_ns)
        sums->last_ns = partition->summary.last_ns;
    struct hold hold;
    if (hold_find(judgement->journal, partition, &hold)) {
        sums->is_held = true;
        sums->needed += hold.records;
        (void)why_set(&sums->holder, ERR_FULL, "group %s has not completed %s/%u from offset %llu", hold.name,
                      judgement->journal->catalog.topics[partition->topic]->public.name, partition->partition,
                      (unsigned long long)hold.offset);
    }
    note_start(judgement, partition);
}

enum err judgement_of(struct judgement *judgement, struct segment *segment)
{
    struct look look = {judgement, segment};
    buffer_init(&judgement->starts, (size_t)RETIRE_START_SIZE * (judgement->journal->catalog.slot_count + 1));
    enum err err = index_file_each_partition(segment->index_file, on_partition, &look);
    err = segment_index_outcome(segment, err);
    if (err == ERR_NONE)
        judge_topic(judgement);
    return err == ERR_NONE ? judgement->err : err;
}

void judgement_open_index(struct journal *journal, struct segment *segment)
{
    if (segment->index != NULL || segment->index_file != NULL)
        return;
    segment->references++;
    journal_unlock(&journal->view);
    enum err err = seal_open_index(journal, segment);
    if (err != ERR_NONE)
        journal_put_off(journal, err, "opening an index file");
    journal_lock(&journal->view);
    segment->references--;
}

void judgement_tell_dropped(const struct judgement *judgement, const struct segment *segment)
{
    if (judgement->dropped == 0)
        return;
    metric_add(METRIC_RECORDS_DROPPED, (int64_t)judgement->dropped);
    journal_tell(judgement->journal, JOURNAL_EVENT_DROPPED,
                 "segment=%llu records=%llu policy=drop_oldest reason=\"%s\"",
                 (unsigned long long)segment->number, (unsigned long long)judgement->dropped,
                 judgement->holder.text);
}

bool judgement_age_counts(struct journal *journal)
{
    int64_t now_ns = clock_now_ns(journal->seams.clock);
    int64_t offset_ns = clock_wall_ns(journal->seams.clock) - now_ns;
    int64_t jump_ns = offset_ns - journal->wall_offset_ns;
    if (jump_ns > CLOCK_JUMP_NS || jump_ns < -CLOCK_JUMP_NS) {
        journal->wall_offset_ns = offset_ns;
        journal->age_suspended_until_ns = now_ns + CLOCK_SUSPEND_NS;
        journal_tell(journal, JOURNAL_EVENT_CLOCK_JUMP,
                     "jump_seconds=%lld age_retention=suspended for_seconds=%lld",
                     (long long)(jump_ns / CLOCK_NS_PER_S), (long long)(CLOCK_SUSPEND_NS / CLOCK_NS_PER_S));
    }
    return now_ns >= journal->age_suspended_until_ns;
}
