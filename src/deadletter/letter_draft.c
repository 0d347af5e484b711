/* The block of a letter, from the fault and what the record was before. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/letter_draft.h"

#include "base/clock.h"
#include "store/topic_finder.h"

static struct span name_of(const struct store_topic *topic)
{
    return span_from_text(topic->name);
}

static enum err name_target(const struct parking_fault *fault,
                            const struct store_topic *source,
                            struct span *ret_name,
                            uint8_t name[static STORE_TOPIC_NAME_MAX])
{
    static const char suffix[] = ".dlq";
    struct span source_name = name_of(source);
    *ret_name = fault->dead_letters;
    if (fault->dead_letters.len > 0)
        return ERR_NONE;
    if (source_name.len + sizeof suffix - 1 > STORE_TOPIC_NAME_MAX)
        return ERR_BAD_NAME;
    memcpy(name, source_name.data, source_name.len);
    memcpy(name + source_name.len, suffix, sizeof suffix - 1);
    *ret_name = span_of(name, source_name.len + sizeof suffix - 1);
    return ERR_NONE;
}

/* The topic of the record and that of its letter: most follow one that had the same. */
static enum err find_topics(struct letter_drafter *drafter, const struct letter_draft *draft)
{
    uint8_t name[STORE_TOPIC_NAME_MAX];
    struct span target = draft->fault->dead_letters;
    if (drafter->has_topics && drafter->source.id == draft->position.topic &&
        (target.len == 0 || span_equal(target, name_of(&drafter->target))))
        return ERR_NONE;
    drafter->has_topics = false;
    if (!topic_finder_find(drafter->store, draft->position.topic, &drafter->source))
        return ERR_UNKNOWN_TOPIC;
    drafter->target = drafter->source;
    enum err err = ERR_NONE;
    if (!dead_letter_topic_is(name_of(&drafter->source))) {
        err = name_target(draft->fault, &drafter->source, &target, name);
        if (err == ERR_NONE)
            err = drafter->store->ops->topic_open(drafter->store, target, drafter->source.partitions, true,
                                                  &drafter->target);
    }
    drafter->has_topics = err == ERR_NONE;
    return err;
}

static int64_t now_ms(const struct letter_drafter *drafter)
{
    return clock_wall_ns(drafter->clock) / CLOCK_NS_PER_MS;
}

static struct span own_or(const struct letter_draft *draft, const char *header, struct span consumers)
{
    struct span own = dead_letter_header(draft->record, draft->headers, header);
    return own.len > 0 ? own : consumers;
}

static void write_block(struct letter_drafter *drafter, struct letter_draft *draft)
{
    const struct parking_fault *fault = draft->fault;
    struct dead_letter *letter = &draft->letter;
    uint32_t attempts = draft->settled.attempts;
    if (draft->is_again) {
        attempts += letter->attempts;
    } else {
        *letter = (struct dead_letter){
            .topic = name_of(&drafter->source),
            .partition = draft->position.partition,
            .offset = draft->position.offset,
            .timestamp_ms = draft->record->timestamp_ms,
            .group = fault->group,
            .first_ms = now_ms(drafter),
        };
    }
    letter->attempts = (uint16_t)(attempts < UINT16_MAX ? attempts : UINT16_MAX);
    letter->last_ms = now_ms(drafter);
    letter->by = draft->settled.by;
    letter->reason = fault->reason;
    letter->stacktrace = fault->stacktrace;
    struct span *correlation_id = &letter->correlation_id;
    if (dead_letter_header(draft->record, draft->headers, "X-Correlation-Id").len > 0)
        *correlation_id = span_of(NULL, 0);
    else if (fault->correlation_id.len > 0)
        *correlation_id = fault->correlation_id;
    if (dead_letter_header(draft->record, draft->headers, "X-Traceability-Id").len > 0)
        letter->traceability_id = span_of(NULL, 0);
    else if (fault->traceability_id.len > 0)
        letter->traceability_id = fault->traceability_id;
}

/* What kind of failure it is: the first one, a replay's, or one that ends here. */
static void look_at_record(struct letter_drafter *drafter, struct letter_draft *draft)
{
    bool is_letter = dead_letter_read(draft->record, &draft->letter, &draft->headers);
    bool is_replayed = draft->position.topic != draft->fault->topic;
    draft->is_again = is_letter && is_replayed;
    if (!draft->is_again)
        draft->headers = draft->record->header_count < RECORD_HEADERS_MAX ? draft->record->header_count
                                                                          : RECORD_HEADERS_MAX;
    draft->is_last = !is_replayed && dead_letter_topic_is(name_of(&drafter->source));
    if (is_replayed && drafter->replays.on_failed_again != NULL)
        draft->is_last =
            drafter->replays.on_failed_again(drafter->replays.owner, draft->settled.group, &draft->position);
}

static enum err
add_letter(struct letter_drafter *drafter, struct letter_draft *draft, struct append_builder *builder)
{
    struct dead_letter_record letter;
    struct append_builder_place place;
    uint32_t partitions = drafter->target.partitions;
    uint32_t partition = draft->position.partition < partitions
                             ? draft->position.partition
                             : store_partition_of(draft->record->key, !draft->record->key_is_null, partitions,
                                                  draft->position.partition);
    write_block(drafter, draft);
    dead_letter_make(draft->record, draft->headers, &draft->letter, &letter);
    enum err err = append_builder_add_record(builder, drafter->target.id, partition, &letter.record, &place);
    if (err != ERR_NONE)
        return err;
    draft->settled.outcome = STORE_OUTCOME_DEAD;
    draft->settled.dead_part = place.part;
    draft->settled.dead_record = place.record;
    return ERR_NONE;
}

static enum err
add_audit(struct letter_drafter *drafter, const struct letter_draft *draft, struct append_builder *builder)
{
    const struct parking_fault *fault = draft->fault;
    bool has_letter = draft->settled.outcome == STORE_OUTCOME_DEAD;
    struct audit_record record = {
        .event = has_letter ? AUDIT_DEAD : AUDIT_GIVEN_UP,
        .actor = fault->actor,
        .topic = name_of(&drafter->source),
        .partition = draft->position.partition,
        .offset = draft->position.offset,
        .count = 1,
        .group = draft->is_again ? draft->letter.group : fault->group,
        .identity = draft->settled.by,
        .reason = fault->reason,
        .stacktrace = fault->stacktrace,
        .key = fault->key,
        .attempt = draft->settled.attempts,
        .status = draft->settled.status,
        .duration_ms = -1,
    };
    if (has_letter)
        record.dead_letter_topic = name_of(&drafter->target);
    if (draft->record != NULL) {
        record.correlation_id = own_or(draft, "X-Correlation-Id", fault->correlation_id);
        record.traceability_id = own_or(draft, "X-Traceability-Id", fault->traceability_id);
        record.key = fault->key.len > 0 ? fault->key : draft->record->key;
    }
    return audit_add(drafter->audit, builder, &record);
}

enum err letter_draft_begin(struct letter_draft *draft, struct letter_drafter *drafter)
{
    enum err err = find_topics(drafter, draft);
    if (err == ERR_NONE && draft->record != NULL)
        look_at_record(drafter, draft);
    return err;
}

enum err
letter_draft_add(struct letter_draft *draft, struct letter_drafter *drafter, struct append_builder *builder)
{
    struct append_builder_mark mark = append_builder_mark(builder);
    enum err err = draft->record != NULL && !draft->is_last ? add_letter(drafter, draft, builder) : ERR_NONE;
    if (err == ERR_NONE)
        err = append_builder_add_settled(builder, &draft->settled);
    if (err == ERR_NONE)
        err = add_audit(drafter, draft, builder);
    if (err != ERR_NONE)
        append_builder_undo(builder, &mark);
    return err;
}
