/* Reads routes and templates, and names the topic of a line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/line_routes.h"

#include <stdlib.h>

/* A name without a field can be judged before any line comes. */
static enum err check_constant(const struct line_template *template, struct why *why)
{
    if (!line_template_is_constant(template))
        return ERR_NONE;
    struct span name = template->pieces[0].literal;
    if (!store_topic_name_is_legal(name))
        return why_set(why, ERR_BAD_NAME, "not a legal topic name");
    if (store_topic_name_is_reserved(name))
        return why_set(why, ERR_BAD_NAME, "topics of this name are closed to producers");
    return ERR_NONE;
}

static enum err parse_topic(struct span text,
                            const struct line_fields *fields,
                            struct line_template *template,
                            struct why *why)
{
    enum err err = line_template_parse(text, fields, template, why);
    return err == ERR_NONE ? check_constant(template, why) : err;
}

static enum err parse_route(struct line_route *route,
                            const struct produce_route *setting,
                            const struct line_fields *fields,
                            struct line_routes_fault *fault,
                            struct why *why)
{
    fault->setting = "key";
    if (fields->key == LINE_FIELD_ABSENT)
        return why_set(why, ERR_BAD_INPUT, "a route matches the key, and no field is called key");
    enum err err = pattern_new(setting->key, why, &route->key);
    if (err != ERR_NONE)
        return err;
    fault->setting = "topic";
    return parse_topic(setting->topic, fields, &route->topic, why);
}

static enum err parse_routes(struct line_routes *routes,
                             const struct produce_settings *settings,
                             struct line_routes_fault *fault,
                             struct why *why)
{
    fault->setting = "routes";
    if (settings->route_count > PRODUCE_ROUTES_MAX)
        return why_set(why, ERR_TOO_MANY, "more than %d routes", (int)PRODUCE_ROUTES_MAX);
    if (settings->route_count == 0)
        return ERR_NONE;
    routes->routes = calloc(settings->route_count, sizeof *routes->routes);
    if (routes->routes == NULL)
        return ERR_MEMORY;
    routes->route_count = settings->route_count;
    for (uint32_t i = 0; i < settings->route_count; i++) {
        fault->route = i + 1;
        enum err err = parse_route(&routes->routes[i], &settings->routes[i], &routes->fields, fault, why);
        if (err != ERR_NONE) {
            why_prefix(why, "route %u: ", i + 1);
            return err;
        }
    }
    return ERR_NONE;
}

/* `fault` says all the way what is being read. */
static enum err parse(struct line_routes *routes,
                      const struct produce_settings *settings,
                      struct line_routes_fault *fault,
                      struct why *why)
{
    fault->setting = "fields";
    enum err err = line_fields_parse(settings->fields, &routes->fields, why);
    if (err != ERR_NONE) {
        why_prefix(why, "fields: ");
        return err;
    }
    fault->setting = "topic";
    if (settings->topic.len > 0)
        err = parse_topic(settings->topic, &routes->fields, &routes->topic, why);
    if (err != ERR_NONE) {
        why_prefix(why, "topic: ");
        return err;
    }
    fault->setting = "otherwise";
    if (settings->otherwise.len > 0 && !store_topic_name_is_legal(settings->otherwise))
        return why_set(why, ERR_BAD_NAME, "otherwise: not a legal topic name");
    fault->setting = "duplicates";
    if (settings->drop_duplicates && routes->fields.seq == LINE_FIELD_ABSENT)
        return why_set(why, ERR_BAD_INPUT, "duplicates: drop needs a field called seq");
    return parse_routes(routes, settings, fault, why);
}

enum err
line_routes_init(struct line_routes *routes, const struct produce_settings *settings, struct why *why)
{
    struct line_routes_fault fault = {0};
    *routes = (struct line_routes){0};
    enum err err = parse(routes, settings, &fault, why);
    if (err != ERR_NONE)
        line_routes_done(routes);
    return err;
}

void line_routes_done(struct line_routes *routes)
{
    for (uint32_t i = 0; i < routes->route_count; i++)
        pattern_free(routes->routes[i].key);
    free(routes->routes);
    *routes = (struct line_routes){0};
}

enum err
line_routes_examine(const struct produce_settings *settings, struct line_routes_fault *fault, struct why *why)
{
    struct line_routes routes = {0};
    *fault = (struct line_routes_fault){0};
    enum err err = parse(&routes, settings, fault, why);
    line_routes_done(&routes);
    return err;
}

static const struct line_template *template_for(const struct line_routes *routes, struct span key)
{
    for (uint32_t i = 0; i < routes->route_count; i++)
        if (pattern_matches(routes->routes[i].key, key))
            return &routes->routes[i].topic;
    return routes->topic.count > 0 ? &routes->topic : NULL;
}

enum line_error
line_routes_name(struct line_routes *routes, const struct line_split *split, struct span *ret_name)
{
    const struct line_template *template = &routes->topic;
    if (routes->route_count > 0 || template->count == 0)
        template = template_for(routes, line_split_field(split, routes->fields.key));
    if (template == NULL)
        return LINE_ERROR_NO_ROUTE;
    if (!line_template_expand(template, split, routes->name, sizeof routes->name, ret_name))
        return LINE_ERROR_BAD_NAME;
    return LINE_ERROR_NONE;
}
