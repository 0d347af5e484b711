/* From a door of the configuration to a bound socket and settings. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/door_plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/door_tls.h"

void door_plan_address(char text[static DOOR_ADDRESS_SIZE],
                       const struct config_address *address,
                       uint16_t port)
{
    bool is_ipv6 = strchr(address->host, ':') != NULL;
    (void)snprintf(text, DOOR_ADDRESS_SIZE, is_ipv6 ? "[%s]:%u" : "%s:%u", address->host, port);
}

/* `off` means that nothing is parked: what would be is refused. */
static struct span otherwise_of(const struct config_door *door)
{
    return strcmp(door->otherwise, "off") == 0 ? span_of("", 0) : span_from_text(door->otherwise);
}

enum err door_plan_settings(const struct config *config,
                            const struct config_door *door,
                            struct produce_settings *ret_settings,
                            struct produce_route **ret_routes)
{
    const struct config_route *from = door->routes.items;
    struct produce_route *routes = NULL;
    if (door->routes.count > 0) {
        routes = calloc(door->routes.count, sizeof *routes);
        if (routes == NULL)
            return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < door->routes.count; i++)
        routes[i] = (struct produce_route){span_from_text(from[i].key), span_from_text(from[i].topic)};
    *ret_settings = (struct produce_settings){
        .fields = span_from_text(door->fields),
        .topic = span_from_text(door->topic),
        .routes = routes,
        .route_count = door->routes.count,
        .otherwise = otherwise_of(door),
        .sequence = span_from_text(door->sequence),
        .drop_duplicates = door->duplicates == CONFIG_DROP,
        .hello = door->hello,
        .ack_written = config->log.ack == CONFIG_ACK_WRITTEN,
        .auto_create = true, /* the store knows whether, also after a reload */
        .window = (uint32_t)door->window,
        .max_line = (uint32_t)door->max_line,
    };
    *ret_routes = routes;
    return ERR_NONE;
}

static const char *const serve_names[] = {
    [CONFIG_PRODUCE] = "produce",
    [CONFIG_SUBSCRIBE] = "subscribe",
    [CONFIG_ACKS] = "acks",
    [CONFIG_STATUS] = "status",
};

static void close_plan(struct door_plan *plan)
{
    listen_socket_close(&plan->socket);
    plan->tls = tls_context_unref(plan->tls);
    free(plan->routes);
}

static enum err open_tls(struct door_plan *plan, const char *address, struct why *why)
{
    struct door_tls_fault fault;
    enum err err = door_tls_open(plan->config, clock_linux(), &fault, why, &plan->tls);
    if (err == ERR_CONFIG)
        why_prefix(why, "%s: ", address);
    plan->socket.tls = plan->tls;
    return err;
}

static enum err open_plan(struct door_plan *plan,
                          const struct config *config,
                          const struct config_door *door,
                          struct why *why)
{
    char address[DOOR_ADDRESS_SIZE];
    door_plan_address(address, &door->listen, door->listen.port);
    *plan = (struct door_plan){.config = door};
    enum err err = listen_socket_open(&plan->socket, address, why);
    if (err != ERR_NONE)
        return err;
    /* A name that only looked like loopback. */
    if (!plan->socket.is_loopback && !door->insecure && !config_door_is_protected(door))
        err = why_set(
            why, ERR_CONFIG,
            "%s can be reached from outside and nothing protects it: demand client certificates, or say "
            "`insecure: true`",
            address);
    if (err == ERR_NONE)
        err = open_tls(plan, address, why);
    if (err == ERR_NONE)
        err = door_plan_settings(config, door, &plan->settings, &plan->routes);
    if (err != ERR_NONE) {
        close_plan(plan);
        return err;
    }
    door_plan_address(address, &door->listen, plan->socket.port);
    (void)snprintf(plan->name, sizeof plan->name, "%s %s", serve_names[door->serve], address);
    return ERR_NONE;
}

enum err door_plans_open(struct door_plans *plans, const struct config *config, struct why *why)
{
    const struct config_door *doors = config->doors.items;
    *plans = (struct door_plans){calloc(config->doors.count + 1, sizeof *plans->plans), 0};
    if (plans->plans == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < config->doors.count; i++) {
        enum err err = open_plan(&plans->plans[i], config, &doors[i], why);
        if (err != ERR_NONE) {
            door_plans_close(plans);
            return err;
        }
        plans->count++;
    }
    return ERR_NONE;
}

void door_plans_close(struct door_plans *plans)
{
    for (uint32_t i = 0; i < plans->count; i++)
        close_plan(&plans->plans[i]);
    free(plans->plans);
    *plans = (struct door_plans){0};
}
