/* Asks the rooms about names, templates and fields before anything is opened. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/config_examine.h"

#include <stdlib.h>
#include <string.h>

#include "app/delivery_plan.h"
#include "app/door_plan.h"
#include "app/door_tls.h"
#include "door/line_routes.h"
#include "io/listen_address.h"
#include "store/store.h"

static void examine_name(const struct config_node *node,
                         const char *key,
                         const char *name,
                         struct config_problems *problems)
{
    if (!store_topic_name_is_legal(span_from_text(name)))
        config_problem(problems, config_place_of(node, key), "`%s: %.100s` is no legal name: %s", key, name,
                       store_topic_name_rule);
}

/* Those that a topic takes over from the defaults were examined there. */
static void examine_groups(const struct config_topic *topic, struct config_problems *problems)
{
    if (topic->node == NULL || config_node_member(topic->node, "processed_by") == NULL)
        return;
    for (uint32_t i = 0; i < topic->processed_by.count; i++)
        examine_name(topic->node, "processed_by", topic->processed_by.items[i], problems);
    if (topic->processed_by.count > STORE_GROUPS_MAX)
        config_problem(problems, config_place_of(topic->node, "processed_by"),
                       "`processed_by` takes at most %d groups", (int)STORE_GROUPS_MAX);
}

static void examine_topics(const struct config *config, struct config_problems *problems)
{
    const struct config_topic *topics = config->topics.items;
    examine_groups(config->topics.defaults, problems);
    for (uint32_t i = 0; i < config->topics.count; i++)
        examine_groups(&topics[i], problems);
    for (uint32_t i = 0; i < config->topics.count; i++)
        if (!store_topic_name_is_legal(span_from_text(topics[i].name)))
            config_problem(problems, config_place_of(topics[i].node, ""), "`%.100s` is no topic's name: %s",
                           topics[i].name, store_topic_name_rule);
}

/* Two of one name would be one group, and share the records between their targets. */
static void examine_deliveries(const struct config *config, struct config_problems *problems)
{
    const struct config_delivery *deliveries = config->deliveries.items;
    for (uint32_t i = 0; i < config->deliveries.count; i++) {
        struct why why;
        if (delivery_plan_examine(&deliveries[i], &why) != ERR_NONE)
            config_problem(problems, config_place_of(deliveries[i].node, "name"), "%s", why.text);
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(deliveries[i].to, deliveries[j].to) == 0)
                config_problem(problems, config_place_of(deliveries[i].node, "to"),
                               "delivery `%.100s` writes this file already: two would write over each other",
                               deliveries[j].name);
            if (strcmp(deliveries[i].name, deliveries[j].name) == 0)
                config_problem(problems, config_place_of(deliveries[i].node, "name"),
                               "another delivery is called `%.100s` already: give this one its own name",
                               deliveries[i].name);
        }
    }
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

static enum err examine_tls(const struct config_door *door, struct config_problems *problems)
{
    struct door_tls_fault fault;
    struct why why;
    struct tls_context *tls = NULL;
    enum err err = door_tls_open(door, clock_linux(), &fault, &why, &tls);
    tls = tls_context_unref(tls);
    if (err != ERR_CONFIG)
        return err;
    config_problem(problems, config_place_of(fault.node, fault.setting), "%s", why.text);
    return ERR_NONE;
}

/* It is a note's in the log, and the name of a file. */
static void examine_path(const struct config_door *door, struct config_problems *problems)
{
    enum { PATH_LEN_MAX = 1024 };
    struct config_place place = config_place_of(door->node, "processed_log");
    const char *slash = strrchr(door->processed_log, '/');
    const char *name = slash == NULL ? door->processed_log : slash + 1;
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        config_problem(problems, place, "`processed_log: %.100s` names a directory: give the file's name",
                       door->processed_log);
    if (strlen(door->processed_log) > PATH_LEN_MAX)
        config_problem(problems, place, "`processed_log` is at most %d bytes long", (int)PATH_LEN_MAX);
}

static enum err
examine_door(const struct config *config, const struct config_door *door, struct config_problems *problems)
{
    examine_name(door->node, "sequence", door->sequence, problems);
    if (door->serve == CONFIG_STATUS && config_node_member(door->node, "topic") != NULL)
        examine_name(door->node, "topic", door->topic, problems);
    if (door->serve == CONFIG_STATUS)
        examine_name(door->node, "group", door->group, problems);
    if (door->serve == CONFIG_STATUS && door->processed_log != NULL)
        examine_path(door, problems);
    if (door->serve == CONFIG_PRODUCE)
        examine_routing(config, door, problems);
    return examine_tls(door, problems);
}

/*
 * Names are resolved as they will be when the doors open; one that this machine does not know is told then. `ret_known` says
 * which of `addresses`, one for each door, were.
 */
static void resolve_doors(const struct config *config, struct listen_address *addresses, bool *ret_known)
{
    const struct config_door *doors = config->doors.items;
    for (uint32_t i = 0; i < config->doors.count; i++) {
        char text[DOOR_ADDRESS_SIZE];
        struct why why;
        door_plan_address(text, &doors[i].listen, doors[i].listen.port);
        ret_known[i] = listen_address_resolve(text, &addresses[i], &why) == ERR_NONE;
    }
}

static bool is_same_text(const struct config_address *one, const struct config_address *other)
{
    return one->port != 0 && one->port == other->port && strcmp(one->host, other->host) == 0;
}

static void examine_addresses(const struct config *config,
                              const struct listen_address *addresses,
                              const bool *known,
                              struct config_problems *problems)
{
    const struct config_door *doors = config->doors.items;
    for (uint32_t i = 0; i < config->doors.count; i++) {
        const struct config_door *door = &doors[i];
        struct config_place place = config_place_of(door->node, "listen");
        uint32_t other = 0;
        while (other < i && !is_same_text(&doors[other].listen, &door->listen) &&
               !(known[other] && known[i] && listen_addresses_meet(&addresses[other], &addresses[i])))
            other++;
        if (other < i)
            config_problem(
                problems, place,
                "another door listens on %.200s port %u already, in line %u: give this one its own",
                doors[other].listen.host, door->listen.port,
                config_place_of(doors[other].node, "listen").line);
    }
}

static enum err examine_listeners(const struct config *config, struct config_problems *problems)
{
    struct listen_address *addresses = calloc(config->doors.count + 1, sizeof *addresses);
    bool *known = calloc(config->doors.count + 1, sizeof *known);
    enum err err = addresses == NULL || known == NULL ? ERR_MEMORY : ERR_NONE;
    if (err == ERR_NONE) {
        resolve_doors(config, addresses, known);
        examine_addresses(config, addresses, known, problems);
    }
    free(addresses);
    free(known);
    return err;
}

enum err config_examine(const struct config *config, struct config_problems *problems)
{
    const struct config_door *doors = config->doors.items;
    enum err err = ERR_NONE;
    examine_topics(config, problems);
    examine_name(config->audit.node, "topic", config->audit.topic, problems);
    examine_deliveries(config, problems);
    for (uint32_t i = 0; i < config->doors.count && err == ERR_NONE; i++)
        err = examine_door(config, &doors[i], problems);
    if (err == ERR_NONE)
        err = examine_listeners(config, problems);
    return err != ERR_NONE || problems->count == 0 ? err : ERR_CONFIG;
}
