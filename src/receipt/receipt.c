/* What became of a record. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "receipt/receipt.h"

#include <stdlib.h>

#include "receipt/decider.h"

/* A dead letter whose replay failed points to another one, and so on: so far is followed. */
enum { REPLAYS_FOLLOWED = 64 };

/* It is `skipped` for this group that a parked line was sent on to where it belongs. */
static const char reroute_group[] = "waybill.reroute";

struct receipts {
    struct store *store;
    struct deciders deciders;
    bool has_rerouter;
    uint32_t rerouter;
};

/* --- One group ---------------------------------------------------------------------------------- */

/* Follows dead letters to what their replays came to. */
static void
follow(struct store *store, uint32_t group, struct store_position position, struct receipt_group *found)
{
    found->is_replayed = false;
    found->has_dead_letter = false;
    for (unsigned i = 0; i < REPLAYS_FOLLOWED; i++) {
        struct store_fate fate;
        if (store->outcomes->fate(store, group, position, &fate) != ERR_NONE)
            fate = (struct store_fate){.outcome = STORE_OUTCOME_OPEN};
        if (i > 0 &&
            fate.outcome == STORE_OUTCOME_OPEN) /* it was not replayed: the dead letter's word stands */
            return;
        found->fate = fate;
        found->is_replayed = i > 0;
        if (fate.outcome != STORE_OUTCOME_DEAD || !fate.dead_is_known)
            return;
        position = fate.dead;
        found->has_dead_letter = true;
        found->dead_letter = position;
    }
}

static bool is_done(struct store *store, uint32_t group, struct store_position position, bool *ret_by_replay)
{
    enum store_outcome outcome = store->outcomes->outcome(store, group, position);
    *ret_by_replay = false;
    if (outcome != STORE_OUTCOME_DEAD)
        return outcome == STORE_OUTCOME_DONE;
    struct receipt_group found;
    follow(store, group, position, &found);
    *ret_by_replay = true;
    return found.fate.outcome == STORE_OUTCOME_DONE;
}

/* --- All groups that decide --------------------------------------------------------------------- */

static bool is_processed_at(struct receipts *receipts, struct store_position position, bool *ret_by_replay)
{
    const struct decider_set *set = deciders_of(&receipts->deciders, position.topic);
    *ret_by_replay = false;
    if (set->is_impossible || set->count == 0)
        return false;
    for (uint32_t i = 0; i < set->count; i++) {
        bool by_replay;
        if (!is_done(receipts->store, set->groups[i], position, &by_replay))
            return false;
        *ret_by_replay = *ret_by_replay || by_replay;
    }
    return true;
}

static bool was_rerouted(const struct receipts *receipts, struct store_position position)
{
    struct store *store = receipts->store;
    return receipts->has_rerouter &&
           store->outcomes->outcome(store, receipts->rerouter, position) == STORE_OUTCOME_SKIPPED;
}

/* Of a number's places, those that were rerouted do not count: the record that was made of it does. */
enum err
receipts_is_processed(struct receipts *receipts, uint32_t sequence, uint64_t number, bool *ret_is_processed)
{
    struct store *store = receipts->store;
    struct store_place places[RECEIPT_PLACES_MAX];
    uint32_t count = 0;
    bool has_unplaced = false;
    enum err err = store->outcomes->places(store, (struct store_number){sequence, number}, places,
                                           RECEIPT_PLACES_MAX, &count, &has_unplaced);
    if (err != ERR_NONE && err != ERR_TOO_MANY)
        return err;
    bool all_are = err == ERR_NONE && !has_unplaced;
    uint32_t processed = 0;
    for (uint32_t i = 0; i < count && all_are; i++) {
        bool by_replay;
        bool is = is_processed_at(receipts, places[i].position, &by_replay);
        processed += is;
        all_are = is || was_rerouted(receipts, places[i].position);
    }
    *ret_is_processed = all_are && processed > 0;
    return ERR_NONE;
}

static bool exists(struct store *store, struct store_position position, struct store_extent *ret_extent)
{
    return store->ops->extent(store, position.topic, position.partition, ret_extent) == ERR_NONE &&
           position.offset < ret_extent->end;
}

bool receipts_is_place_processed(struct receipts *receipts, struct store_position position)
{
    struct store_extent extent;
    bool by_replay;
    return exists(receipts->store, position, &extent) && is_processed_at(receipts, position, &by_replay);
}

/* --- Receipts ----------------------------------------------------------------------------------- */

bool receipts_next_group(struct receipts *receipts,
                         const struct receipt *receipt,
                         uint32_t *position,
                         struct receipt_group *ret_group)
{
    struct store *store = receipts->store;
    const struct store_position *place = &receipt->position;
    while (store->outcomes->group_next(store, position, &ret_group->group)) {
        struct store_progress progress;
        uint32_t id = ret_group->group.id;
        ret_group->decides = decider_set_has(deciders_of(&receipts->deciders, place->topic), id);
        if (store->outcomes->progress(store, id, place->topic, place->partition, &progress) != ERR_NONE)
            continue;
        if (!progress.has_begun && !ret_group->decides)
            continue;
        follow(store, id, *place, ret_group);
        if (receipts->has_rerouter && id == receipts->rerouter &&
            ret_group->fate.outcome == STORE_OUTCOME_OPEN)
            continue; /* it reads nothing: it only says what was sent on */
        return true;
    }
    return false;
}

/* What its groups say that do not decide, or not yet. */
static enum receipt_state state_by_groups(struct receipts *receipts, const struct receipt *receipt)
{
    struct receipt_group group;
    bool is_dead = false;
    bool is_delivered = false;
    for (uint32_t position = 0; receipts_next_group(receipts, receipt, &position, &group);) {
        bool is_done = group.fate.outcome == STORE_OUTCOME_DONE;
        /* A dead letter that is passed over in a replay stays one. */
        is_dead = is_dead || group.fate.outcome == STORE_OUTCOME_DEAD || (group.is_replayed && !is_done);
        is_delivered = is_delivered || is_done;
    }
    if (is_dead)
        return RECEIPT_DEAD_LETTERED;
    if (is_delivered)
        return RECEIPT_DELIVERED;
    return receipt->is_expired ? RECEIPT_EXPIRED : RECEIPT_STORED;
}

const char *
receipts_topic_name(struct receipts *receipts, uint32_t topic, char name[static STORE_TOPIC_NAME_MAX + 1])
{
    struct store_topic found;
    uint32_t position = topic;
    name[0] = '\0';
    if (receipts->store->ops->topic_next(receipts->store, &position, &found) && found.id == topic)
        memcpy(name, found.name, sizeof found.name);
    return name;
}

static void find_state(struct receipts *receipts, struct receipt *receipt)
{
    bool by_replay;
    if (*receipts_topic_name(receipts, receipt->position.topic, receipt->topic) == '\0')
        return;
    if (is_processed_at(receipts, receipt->position, &by_replay))
        receipt->state = by_replay ? RECEIPT_REPLAYED : RECEIPT_PROCESSED;
    else if (was_rerouted(receipts, receipt->position))
        receipt->state = RECEIPT_REPLAYED;
    else
        receipt->state = state_by_groups(receipts, receipt);
}

void receipts_look(struct receipts *receipts, struct store_position position, struct receipt *ret_receipt)
{
    struct store_extent extent;
    *ret_receipt = (struct receipt){.position = position, .state = RECEIPT_UNKNOWN};
    if (!exists(receipts->store, position, &extent))
        return;
    ret_receipt->is_expired = position.offset < extent.start;
    find_state(receipts, ret_receipt);
}

void receipts_look_at_place(struct receipts *receipts,
                            const struct store_place *place,
                            struct receipt *ret_receipt)
{
    *ret_receipt = (struct receipt){.position = place->position,
                                    .state = RECEIPT_UNKNOWN,
                                    .is_expired = place->is_expired,
                                    .stored_ns = place->stored_ns};
    find_state(receipts, ret_receipt);
}

/* --- Life and names ----------------------------------------------------------------------------- */

enum err
receipts_new(struct store *store, const struct receipt_policy *policy, struct receipts **ret_receipts)
{
    struct receipts *receipts = calloc(1, sizeof *receipts);
    if (receipts == NULL)
        return ERR_MEMORY;
    receipts->store = store;
    deciders_init(&receipts->deciders, store, policy);
    *ret_receipts = receipts;
    return ERR_NONE;
}

struct receipts *receipts_free(struct receipts *receipts)
{
    free(receipts);
    return NULL;
}

void receipts_refresh(struct receipts *receipts)
{
    struct store *store = receipts->store;
    struct span name = span_from_text(reroute_group);
    receipts->has_rerouter = store->outcomes->group_open(store, name, false, &receipts->rerouter) == ERR_NONE;
    deciders_refresh(&receipts->deciders);
}

const char *receipt_state_name(enum receipt_state state)
{
    static const char *const names[RECEIPT_STATE_COUNT] = {
        [RECEIPT_UNKNOWN] = "unknown",     [RECEIPT_STORED] = "stored",
        [RECEIPT_DELIVERED] = "delivered", [RECEIPT_PROCESSED] = "processed",
        [RECEIPT_REPLAYED] = "replayed",   [RECEIPT_DEAD_LETTERED] = "dead_lettered",
        [RECEIPT_EXPIRED] = "expired",
    };
    check(state < RECEIPT_STATE_COUNT);
    return names[state];
}

const char *receipt_outcome_name(const struct receipt_group *group)
{
    static const char *const names[STORE_OUTCOME_COUNT] = {
        [STORE_OUTCOME_OPEN] = "open",       [STORE_OUTCOME_DONE] = "done",
        [STORE_OUTCOME_DEAD] = "dead",       [STORE_OUTCOME_SKIPPED] = "skipped",
        [STORE_OUTCOME_EXPIRED] = "expired",
    };
    bool is_replayed = group->is_replayed && group->fate.outcome == STORE_OUTCOME_DONE;
    check(group->fate.outcome < STORE_OUTCOME_COUNT);
    return is_replayed ? "replayed" : names[group->fate.outcome];
}
