/* Whose `done` means processed, as the configuration says it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/receipt_plan.h"

#include <stdlib.h>

static void add_rule(struct receipt_plan *plan, const struct config_topic *topic, const char *name)
{
    const struct config_words *words = &topic->processed_by;
    if (words->count == 0)
        return;
    plan->rules[plan->policy.rule_count++] = (struct receipt_rule){name, words->items, words->count};
}

static void add_log(struct receipt_plan *plan, const struct config_door *door)
{
    if (door->serve == CONFIG_STATUS && door->processed_log != NULL)
        plan->log_groups[plan->policy.log_group_count++] = door->group;
}

enum err receipt_plan_init(struct receipt_plan *plan, const struct config *config)
{
    const struct config_topic *topics = config->topics.items;
    const struct config_door *doors = config->doors.items;
    const struct config_delivery *deliveries = config->deliveries.items;
    *plan = (struct receipt_plan){
        .rules = calloc(config->topics.count + 1, sizeof *plan->rules),
        .log_groups = calloc(config->doors.count + 1, sizeof *plan->log_groups),
        .carrier_groups = calloc(config->deliveries.count + 1, sizeof *plan->carrier_groups),
    };
    if (plan->rules == NULL || plan->log_groups == NULL || plan->carrier_groups == NULL) {
        receipt_plan_done(plan);
        return ERR_MEMORY;
    }
    add_rule(plan, config->topics.defaults, NULL);
    for (uint32_t i = 0; i < config->topics.count; i++)
        add_rule(plan, &topics[i], topics[i].name);
    for (uint32_t i = 0; i < config->doors.count; i++)
        add_log(plan, &doors[i]);
    for (uint32_t i = 0; i < config->deliveries.count; i++) /* all of them into files */
        plan->carrier_groups[plan->policy.carrier_group_count++] = deliveries[i].name;
    plan->policy.rules = plan->rules;
    plan->policy.log_groups = plan->log_groups;
    plan->policy.carrier_groups = plan->carrier_groups;
    return ERR_NONE;
}

void receipt_plan_done(struct receipt_plan *plan)
{
    free(plan->rules);
    free(plan->log_groups);
    free(plan->carrier_groups);
    *plan = (struct receipt_plan){.rules = NULL};
}
