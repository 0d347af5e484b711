/* A parked record becomes its line again; the door's own reading of lines decides the rest. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/reroute_table.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "wire/line_number.h"

struct reroute_door {
    struct line_routes routes;
    uint32_t sequence;
    bool auto_create;
};

enum {
    LINE_SIZE_MAX = 512 * 1024 * 1024
}; /* the largest record that a configuration allows, and its fields */

static enum err
open_door(struct reroute_table *table, const struct produce_settings *settings, struct why *why)
{
    struct reroute_door *door = &table->doors[table->count];
    enum err err = line_routes_init(&door->routes, settings, why);
    if (err != ERR_NONE)
        return err;
    door->auto_create = settings->auto_create;
    err = table->store->ops->sequence_open(table->store, settings->sequence, &door->sequence);
    if (err != ERR_NONE) {
        line_routes_done(&door->routes);
        return err;
    }
    table->count++;
    return ERR_NONE;
}

enum err reroute_table_init(struct reroute_table *table,
                            struct store *store,
                            const struct reroute_doors *doors,
                            struct span topic,
                            bool is_dry,
                            struct why *why)
{
    *table = (struct reroute_table){.store = store, .is_dry = is_dry};
    buffer_init(&table->line, LINE_SIZE_MAX);
    table->doors = calloc(doors->count + 1, sizeof *table->doors);
    if (table->doors == NULL)
        return ERR_MEMORY;
    enum err err = ERR_NONE;
    for (uint32_t i = 0; i < doors->count && err == ERR_NONE; i++)
        if (span_equal(doors->settings[i]->otherwise, topic))
            err = open_door(table, doors->settings[i], why);
    if (err == ERR_NONE && table->count == 0)
        err = why_set(why, ERR_NOT_FOUND, "no produce door says `otherwise: %.*s`", (int)topic.len,
                      (const char *)topic.data);
    if (err != ERR_NONE)
        reroute_table_done(table);
    return err;
}

void reroute_table_done(struct reroute_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        line_routes_done(&table->doors[i].routes);
    free(table->doors);
    table->doors = NULL;
    table->count = 0;
    buffer_done(&table->line);
}

static struct span header(const struct record *record, struct span name)
{
    for (uint32_t i = 0; i < record->header_count; i++)
        if (span_equal(record->headers[i].name, name))
            return record->headers[i].value;
    return span_of(NULL, 0);
}

static bool is_reason(struct span reason, enum line_error error)
{
    return span_equal_text(reason, line_error_reason(error));
}

/* One that could not be split is its record's value. */
static bool is_whole(struct span reason)
{
    return is_reason(reason, LINE_ERROR_MISSING_FIELD) || is_reason(reason, LINE_ERROR_BAD_SEQ);
}

/* --- The line ------------------------------------------------------------------------------------- */

static struct span field_of(const struct record *parked, const struct line_fields *fields, uint32_t field)
{
    if (field == fields->key)
        return parked->key;
    return field == fields->body ? parked->value : header(parked, fields->names[field]);
}

static enum err
put_line(struct reroute_table *table, const struct record *parked, const struct line_fields *fields)
{
    enum err err = ERR_NONE;
    buffer_clear(&table->line);
    for (uint32_t i = 0; i < fields->count && err == ERR_NONE; i++) {
        if (i > 0)
            err = buffer_append_text(&table->line, "|");
        if (err == ERR_NONE)
            err = buffer_append(&table->line, field_of(parked, fields, i));
    }
    return err;
}

/* Splits the line anew; a field of another specification may hold what ends a field of this one. */
static bool read_line(struct reroute_table *table,
                      const struct reroute_door *door,
                      const struct record *parked,
                      bool is_a_whole_line,
                      struct line_split *ret_split)
{
    const struct line_fields *fields = &door->routes.fields;
    struct span line = parked->value;
    if (!is_a_whole_line) {
        if (put_line(table, parked, fields) != ERR_NONE)
            return false;
        line = buffer_span(&table->line);
    }
    return line.len <= UINT32_MAX && line_fields_split(fields, line, ret_split) &&
           (is_a_whole_line || span_equal(line_split_field(ret_split, fields->body), parked->value));
}

/* --- The record ----------------------------------------------------------------------------------- */

static void add_header(struct rerouted *to, struct span name, struct span value)
{
    if (to->record.header_count < RECORD_BATCH_HEADERS_MAX)
        to->headers[to->record.header_count++] = (struct record_header){.name = name, .value = value};
}

/* As the door itself would have made it; a number that the door had assigned stays. */
static void add_fields(const struct line_fields *fields,
                       const struct line_split *split,
                       const struct record *parked,
                       struct rerouted *to)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        struct span value = line_split_field(split, i);
        if (i == fields->key || i == fields->body || value.len == 0)
            continue;
        add_header(to, fields->names[i], i == fields->seq ? line_number_trim(value) : value);
    }
    struct span seq = header(parked, span_from_text("seq"));
    if (fields->seq == LINE_FIELD_ABSENT && seq.len > 0)
        add_header(to, span_from_text("seq"), seq);
}

static bool make_record(const struct reroute_door *door,
                        const struct line_split *split,
                        const struct record *parked,
                        struct rerouted *to)
{
    const struct line_fields *fields = &door->routes.fields;
    struct span key = line_split_field(split, fields->key);
    to->record = (struct record){.key = key,
                                 .key_is_null = key.len == 0,
                                 .value = line_split_field(split, fields->body),
                                 .headers = to->headers};
    to->sequence = door->sequence;
    to->seq = 0;
    add_fields(fields, split, parked, to);
    struct span seq = header(&to->record, span_from_text("seq"));
    return seq.len > 0 ? line_number_parse(seq, &to->seq) : fields->seq == LINE_FIELD_ABSENT;
}

static bool open_topic(struct reroute_table *table,
                       const struct reroute_door *door,
                       struct span name,
                       struct store_topic *ret_topic)
{
    bool creates = door->auto_create && !table->is_dry;
    enum err err = table->store->ops->topic_open(table->store, name, 0, creates, ret_topic);
    return err == ERR_NONE || (err == ERR_UNKNOWN_TOPIC && door->auto_create && table->is_dry);
}

static bool find_topic(struct reroute_table *table,
                       struct reroute_door *door,
                       const struct line_split *split,
                       struct store_topic *ret_topic)
{
    struct span name;
    return line_routes_name(&door->routes, split, &name) == LINE_ERROR_NONE &&
           store_topic_name_is_legal(name) && !store_topic_name_is_reserved(name) &&
           open_topic(table, door, name, ret_topic);
}

bool reroute_table_find(struct reroute_table *table,
                        const struct record *parked,
                        struct rerouted *ret_rerouted)
{
    struct span reason = header(parked, span_from_text("reason"));
    if (reason.len == 0 || is_reason(reason, LINE_ERROR_TOO_LONG))
        return false;
    for (uint32_t i = 0; i < table->count; i++) {
        struct reroute_door *door = &table->doors[i];
        struct line_split split;
        if (read_line(table, door, parked, is_whole(reason), &split) &&
            make_record(door, &split, parked, ret_rerouted) &&
            find_topic(table, door, &split, &ret_rerouted->topic))
            return true;
    }
    return false;
}
