/* The groups that decide whether the records of a topic are processed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "receipt/decider.h"

#include <string.h>

#include "base/check.h"

/*
 * Looking costs a question to the store for each partition in which a group has not begun. A look that took more than a
 * few is therefore good for some rounds: the price of a round stays about the same, whatever there is of groups and partitions.
 */
enum { QUESTIONS_A_ROUND = 16 };

void deciders_init(struct deciders *deciders, struct store *store, const struct receipt_policy *policy)
{
    *deciders = (struct deciders){.store = store, .policy = policy, .round = 1};
}

void deciders_refresh(struct deciders *deciders)
{
    deciders->round++;
}

static void add(struct decider_set *set, uint32_t group)
{
    check(set->count < STORE_GROUPS_MAX);
    set->groups[set->count++] = group;
}

/* --- By rule ------------------------------------------------------------------------------------ */

static const struct receipt_rule *find_rule(const struct receipt_policy *policy, const char *topic)
{
    const struct receipt_rule *otherwise = NULL;
    for (uint32_t i = 0; i < policy->rule_count; i++) {
        const struct receipt_rule *rule = &policy->rules[i];
        if (rule->topic == NULL)
            otherwise = rule;
        else if (strcmp(rule->topic, topic) == 0)
            return rule;
    }
    return otherwise;
}

static void follow_rule(struct deciders *deciders, const struct receipt_rule *rule, struct decider_set *set)
{
    struct store *store = deciders->store;
    for (uint32_t i = 0; i < rule->group_count && !set->is_impossible; i++) {
        uint32_t group;
        struct span name = span_from_text(rule->groups[i]);
        if (store->outcomes->group_open(store, name, false, &group) != ERR_NONE)
            set->is_impossible = true;
        else if (!decider_set_has(set, group))
            add(set, group);
    }
}

/* --- Without a rule ----------------------------------------------------------------------------- */

static bool is_among(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool may_decide(const struct receipt_policy *policy, const struct store_group *group)
{
    if (is_among(policy->log_groups, policy->log_group_count, group->name))
        return true;
    return group->has_done && !is_among(policy->carrier_groups, policy->carrier_group_count, group->name);
}

static bool
has_begun(struct store *store, uint32_t group, const struct store_topic *topic, uint32_t *questions)
{
    for (uint32_t i = 0; i < topic->partitions; i++, ++*questions) {
        struct store_progress progress;
        if (store->outcomes->progress(store, group, topic->id, i, &progress) == ERR_NONE &&
            progress.has_begun)
            return true;
    }
    return false;
}

/* How many questions it took. */
static uint32_t
look_around(struct deciders *deciders, const struct store_topic *topic, struct decider_set *set)
{
    struct store *store = deciders->store;
    struct store_group group;
    uint32_t questions = 0;
    for (uint32_t position = 0; store->outcomes->group_next(store, &position, &group);)
        if (may_decide(deciders->policy, &group) && has_begun(store, group.id, topic, &questions))
            add(set, group.id);
    return questions;
}

/* --- Both --------------------------------------------------------------------------------------- */

bool decider_set_has(const struct decider_set *set, uint32_t group)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (set->groups[i] == group)
            return true;
    return false;
}

static void look(struct deciders *deciders, uint32_t id, struct decider_set *set)
{
    struct store *store = deciders->store;
    struct store_topic topic;
    uint32_t position = id; /* ids count up, so the walk begins there */
    set->count = 0;
    set->is_impossible = false;
    set->rounds_kept = 0;
    if (!store->ops->topic_next(store, &position, &topic) || topic.id != id)
        return;
    const struct receipt_rule *rule = find_rule(deciders->policy, topic.name);
    if (rule != NULL)
        follow_rule(deciders, rule, set);
    else
        set->rounds_kept = look_around(deciders, &topic, set) / QUESTIONS_A_ROUND;
}

const struct decider_set *deciders_of(struct deciders *deciders, uint32_t topic)
{
    struct decider_set *set = &deciders->sets[topic % DECIDER_TOPICS];
    bool is_known = set->is_taken && set->topic == topic;
    if (is_known && deciders->round - set->round <= set->rounds_kept)
        return set;
    set->is_taken = true;
    set->topic = topic;
    set->round = deciders->round;
    look(deciders, topic, set);
    return set;
}
