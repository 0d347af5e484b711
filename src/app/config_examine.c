/* Asks the rooms about names, templates and fields before anything is opened. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/config_examine.h"

#include <stdlib.h>

#include "app/door_plan.h"
#include "door/line_routes.h"
#include "store/store.h"

static void examine_topics(const struct config *config, struct config_problems *problems)
{
    const struct config_topic *topics = config->topics.items;
    for (uint32_t i = 0; i < config->topics.count; i++)
        if (!store_topic_name_is_legal(span_from_text(topics[i].name)))
            config_problem(problems, config_place_of(topics[i].node, ""), "`%.100s` is no topic's name: %s",
                           topics[i].name, store_topic_name_rule);
}

static struct config_place place_of(const struct config_door *door, const struct line_routes_fault *fault)
{
    const struct config_route *routes = door->routes.items;
    return config_place_of(fault->route > 0 ? routes[fault->route - 1].node : door->node, fault->setting);
}

static void
examine_routing(const struct config *config, const struct config_door *door, struct config_problems *problems)
{
    struct produce_settings settings;
    struct produce_route *settings_routes = NULL;
    struct line_routes_fault fault = {.setting = ""};
    struct why why = {0};
    enum err err = door_plan_settings(config, door, &settings, &settings_routes);
    if (err == ERR_NONE)
        err = line_routes_examine(&settings, &fault, &why);
    if (err != ERR_NONE)
        config_problem(problems, place_of(door, &fault), "%s",
                       why.text[0] == '\0' ? err_text(err) : why.text);
    free(settings_routes);
}

static void
examine_door(const struct config *config, const struct config_door *door, struct config_problems *problems)
{
    if (!store_topic_name_is_legal(span_from_text(door->sequence)))
        config_problem(problems, config_place_of(door->node, "sequence"),
                       "`sequence: %.100s` is no legal name: %s", door->sequence, store_topic_name_rule);
    if (door->serve == CONFIG_PRODUCE)
        examine_routing(config, door, problems);
}

enum err config_examine(const struct config *config, struct config_problems *problems)
{
    const struct config_door *doors = config->doors.items;
    examine_topics(config, problems);
    for (uint32_t i = 0; i < config->doors.count; i++)
        examine_door(config, &doors[i], problems);
    return problems->count == 0 ? ERR_NONE : ERR_CONFIG;
}
