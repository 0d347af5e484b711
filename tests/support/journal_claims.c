/* Notes and outcomes of the model's appends, and the comparison of the journal with them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/journal_claims.h"

#include <stdio.h>

#include "support/journal_shape.h"
#include "support/test.h"

enum {
    OUTCOME_TOPICS = 2, /* outcomes are of records in the first ones */
    NOTES = 5,
};

static void note_key(char key[8], uint32_t shape)
{
    (void)snprintf(key, 8, "note-%u", journal_shape_mix(shape, 81) % NOTES);
}

/* A record of one of the latest appends that is stored, and that retention has not passed; false when there is none. */
static bool
find_target(struct journal_model *model, uint32_t shape, struct journal_model_outcome *ret_outcome)
{
    struct store *store = model->bench->store;
    uint32_t skipped = journal_shape_mix(shape, 82) % 5;
    for (uint32_t id = model->count - 1; id > 0 && journal_shape_mix(shape, 83) % 3 > 0; id--) {
        const struct journal_model_append *append = &model->appends[id - 1];
        uint32_t topic = journal_shape_topic(append->shape, 0);
        uint32_t partition = journal_shape_partition(append->shape, 0);
        char name[16];
        struct store_topic found;
        struct store_extent extent;
        if (append->err != ERR_NONE || topic >= OUTCOME_TOPICS || append->gone_at != JOURNAL_MODEL_NEVER ||
            skipped-- > 0)
            continue;
        journal_shape_topic_name(name, topic);
        if (store->ops->topic_open(store, span_from_text(name), 0, false, &found) != ERR_NONE ||
            store->ops->extent(store, found.id, partition, &extent) != ERR_NONE)
            return false;
        *ret_outcome = (struct journal_model_outcome){true, topic, partition, append->bases[0]};
        return append->bases[0] >= extent.start && append->bases[0] < extent.end;
    }
    return false;
}

static bool find_group(struct store *store, bool create, uint32_t *ret_group)
{
    return store->outcomes->group_open(store, span_from_text("group"), create, ret_group) == ERR_NONE;
}

static void add_note(uint32_t id, uint32_t shape, struct journal_claims *claims, struct store_append *append)
{
    (void)snprintf(claims->by, sizeof claims->by, "%0*u", JOURNAL_CLAIMS_DIGITS, id);
    note_key(claims->note_key, shape);
    claims->note = (struct store_note){span_from_text(claims->note_key), span_from_text(claims->by)};
    append->notes = &claims->note;
    append->note_count = 1;
}

static bool add_outcome(struct journal_model *model,
                        struct journal_model_append *entry,
                        struct journal_claims *claims,
                        struct store_append *append)
{
    struct store *store = model->bench->store;
    struct store_topic topic;
    char name[16];
    uint32_t group;
    if (!find_target(model, entry->shape, &entry->outcome) || !find_group(store, true, &group))
        return false;
    journal_shape_topic_name(name, entry->outcome.topic);
    expect_fine(store->ops->topic_open(store, span_from_text(name), 0, false, &topic));
    claims->settled = (struct store_settled){.group = group,
                                             .topic = topic.id,
                                             .partition = entry->outcome.partition,
                                             .offset = entry->outcome.offset,
                                             .count = 1,
                                             .outcome = STORE_OUTCOME_DEAD,
                                             .attempts = 3,
                                             .by = span_from_text(claims->by)};
    append->settled = &claims->settled;
    append->settled_count = 1;
    return true;
}

void journal_claims_add(struct journal_model *model,
                        uint32_t id,
                        struct journal_claims *claims,
                        struct store_append *append)
{
    struct journal_model_append *entry = &model->appends[id];
    add_note(id, entry->shape, claims, append);
    entry->has_note = true;
    entry->outcome.is_there = add_outcome(model, entry, claims, append);
}

void journal_claims_remove(struct journal_model *model, uint32_t id, struct store_append *append)
{
    append->settled_count = append->note_count = 0;
    model->appends[id].outcome.is_there = model->appends[id].has_note = false;
}

/* --- Comparing --------------------------------------------------------------------------------------- */

/* Whether all of the append was found; what it says besides is true with it. */
static bool is_present(const struct journal_model_append *append)
{
    return append->parts_seen == (1U << journal_shape_part_count(append->shape)) - 1;
}

/* The latest append with this note. */
static void compare_note(struct journal_model *model, uint32_t number)
{
    struct store *store = model->bench->store;
    char key[8];
    struct buffer value;
    uint32_t expected = UINT32_MAX;
    (void)snprintf(key, sizeof key, "note-%u", number);
    for (uint32_t id = 0; id < model->count; id++) {
        char other[8];
        note_key(other, model->appends[id].shape);
        if (model->appends[id].has_note && is_present(&model->appends[id]) && strcmp(key, other) == 0)
            expected = id;
    }
    buffer_init(&value, STORE_NOTE_VALUE_MAX);
    enum err err = store->outcomes->note(store, span_from_text(key), &value);
    uint64_t found = UINT32_MAX;
    if (err == ERR_NONE && !span_to_u64(buffer_span(&value), &found))
        test_fail("%s: %s says what nobody wrote", model->where, key);
    if (found != expected)
        test_fail("%s: %s is of append %llu instead of %u", model->where, key, (unsigned long long)found,
                  expected);
    buffer_done(&value);
}

static bool is_same_target(const struct journal_model_outcome *a, const struct journal_model_outcome *b)
{
    return a->is_there && b->is_there && a->topic == b->topic && a->partition == b->partition &&
           a->offset == b->offset;
}

/* The first one that gave this record up: a later one changes nothing. */
static const struct journal_model_append *
winner_of(const struct journal_model *model, const struct journal_model_outcome *outcome, uint32_t *ret_id)
{
    for (*ret_id = 0; *ret_id < model->count; ++*ret_id)
        if (is_present(&model->appends[*ret_id]) && is_same_target(&model->appends[*ret_id].outcome, outcome))
            return &model->appends[*ret_id];
    return NULL;
}

static struct store_topic topic_of_number(struct store *store, uint32_t number)
{
    char name[16];
    struct store_topic topic;
    journal_shape_topic_name(name, number);
    expect_fine(store->ops->topic_open(store, span_from_text(name), 0, false, &topic));
    return topic;
}

static void compare_winner(struct journal_model *model, const struct store_fate *fate, uint32_t id)
{
    const struct journal_model_append *winner = &model->appends[id];
    uint64_t by;
    bool is_known = span_to_u64(span_of(fate->by, fate->by_len), &by);
    if (!is_known || by != id || fate->attempts != 3 || !fate->dead_is_known)
        test_fail("%s: the record that append %u gave up says by %.*s, %u attempts", model->where, id,
                  (int)fate->by_len, fate->by, fate->attempts);
    struct store_topic topic = topic_of_number(model->bench->store, journal_shape_topic(winner->shape, 0));
    if (fate->dead.topic != topic.id || fate->dead.partition != journal_shape_partition(winner->shape, 0) ||
        fate->dead.offset != winner->bases[0])
        test_fail("%s: the dead letter of append %u is looked for at %llu instead of %llu", model->where, id,
                  (unsigned long long)fate->dead.offset, (unsigned long long)winner->bases[0]);
}

static void compare_outcome(struct journal_model *model, const struct journal_model_outcome *outcome)
{
    struct store *store = model->bench->store;
    uint32_t group;
    uint32_t id;
    struct store_fate fate = {.outcome = STORE_OUTCOME_OPEN};
    struct store_extent extent = {0};
    const struct journal_model_append *winner = winner_of(model, outcome, &id);
    char name[16];
    struct store_topic topic;
    journal_shape_topic_name(name, outcome->topic);
    if (store->ops->topic_open(store, span_from_text(name), 0, false, &topic) != ERR_NONE)
        return; /* the power failed before the topic was stored, and so before the outcome */
    expect_fine(store->ops->extent(store, topic.id, outcome->partition, &extent));
    struct store_position position = {topic.id, outcome->partition, outcome->offset};
    if (find_group(store, false, &group))
        expect_fine(store->outcomes->fate(store, group, position, &fate));
    bool is_gone = outcome->offset < extent.start;
    if (winner != NULL && fate.outcome == STORE_OUTCOME_DEAD)
        compare_winner(model, &fate, id);
    else if (winner != NULL && !is_gone && !model->forgets_numbers) /* groups go after a week, too */
        test_fail("%s: append %u gave a record up, its outcome is %d", model->where, id, (int)fate.outcome);
    else if (winner == NULL && fate.outcome == STORE_OUTCOME_DEAD)
        test_fail("%s: a record is given up by %.*s, which is not there", model->where, (int)fate.by_len,
                  fate.by);
}

void journal_claims_check(struct journal_model *model)
{
    for (uint32_t i = 0; i < NOTES; i++)
        compare_note(model, i);
    for (uint32_t id = 0; id < model->count; id++)
        if (model->appends[id].outcome.is_there)
            compare_outcome(model, &model->appends[id].outcome);
}
