/* A scan that looks into each record's members. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_search.h"

#include <stdlib.h>

#include "audit/audit_record.h"
#include "base/json_reader.h"
#include "store/range_text.h"
#include "store/record_scan.h"

struct audit_search {
    struct audit_search_events events;
    struct record_scan *scan;
    char topic[STORE_TOPIC_NAME_MAX + 1];
    char event[32];
    char correlation_id[AUDIT_TEXT_MAX + 1];
    uint64_t left;
    bool is_limited;
    bool is_paused;
};

struct audit_search *audit_search_close(struct audit_search *search)
{
    if (search == NULL)
        return NULL;
    record_scan_close(search->scan);
    free(search);
    return NULL;
}

/* Whether the member says what was asked for. */
static bool is_meant(const struct audit_search *search, struct span name, struct span value)
{
    if (json_text_equal(name, "topic"))
        return search->topic[0] == '\0' || json_text_equal(value, search->topic);
    if (json_text_equal(name, "event"))
        return search->event[0] == '\0' || json_text_equal(value, search->event);
    return search->correlation_id[0] == '\0' || json_text_equal(value, search->correlation_id);
}

static bool is_asked_for(struct span name)
{
    return json_text_equal(name, "topic") || json_text_equal(name, "event") ||
           json_text_equal(name, "correlationId");
}

static bool matches(const struct audit_search *search, struct span json)
{
    struct json_reader reader;
    bool has_correlation = false;
    json_reader_init(&reader, json);
    if (json_reader_next(&reader) != JSON_OBJECT_BEGIN)
        return false;
    while (json_reader_next(&reader) == JSON_NAME) {
        struct span name = json_reader_piece(&reader);
        if (!json_reader_skip(&reader))
            return false;
        has_correlation = has_correlation || json_text_equal(name, "correlationId");
        struct span value = json_reader_piece(&reader);
        if (is_asked_for(name) && !is_meant(search, name, value))
            return false;
    }
    return search->correlation_id[0] == '\0' || has_correlation;
}

static enum record_scan_next on_record(void *owner, uint32_t partition, const struct record *record)
{
    struct audit_search *search = owner;
    (void)partition;
    if (search->is_paused)
        return RECORD_SCAN_WAIT;
    if (!matches(search, record->value))
        return RECORD_SCAN_GO_ON;
    search->is_paused = !search->events.on_found(search->events.owner, record->value);
    return search->is_limited && --search->left == 0 ? RECORD_SCAN_STOP : RECORD_SCAN_GO_ON;
}

static void on_end(void *owner, enum err err)
{
    struct audit_search *search = owner;
    search->events.on_end(search->events.owner, err);
}

void audit_search_resume(struct audit_search *search)
{
    search->is_paused = false;
    record_scan_resume(search->scan);
}

static bool set_text(char *to, size_t size, struct span text)
{
    if (text.len >= size || span_find(text, 0) < text.len)
        return false;
    if (text.len > 0)
        memcpy(to, text.data, text.len);
    to[text.len] = '\0';
    return true;
}

static enum err begin_scan(struct audit_search *search,
                           struct store *store,
                           struct mailbox *mailbox,
                           const struct audit_search_order *order,
                           struct why *why)
{
    struct record_scan_events events = {on_record, on_end, search};
    struct record_scan_range *ranges = NULL;
    struct store_topic topic = {.partitions = 0};
    enum err err = store->ops->topic_open(store, order->audit_topic, 0, false, &topic);
    if (err == ERR_NONE)
        err = range_text_parse(store, &topic, order->from, order->to, why, &ranges);
    else if (err == ERR_UNKNOWN_TOPIC)
        err = ERR_NONE;
    if (err == ERR_NONE)
        err = record_scan_new(store, mailbox, &(struct record_scan_order){topic.id, ranges, topic.partitions},
                              &events, &search->scan);
    free(ranges);
    return err;
}

enum err audit_search_new(struct store *store,
                          struct mailbox *mailbox,
                          const struct audit_search_order *order,
                          const struct audit_search_events *events,
                          struct why *why,
                          struct audit_search **ret_search)
{
    struct audit_search *search = calloc(1, sizeof *search);
    if (search == NULL)
        return ERR_MEMORY;
    search->events = *events;
    search->left = order->limit;
    search->is_limited = order->limit > 0;
    enum err err = ERR_NONE;
    if (!set_text(search->topic, sizeof search->topic, order->topic) ||
        !set_text(search->event, sizeof search->event, order->event) ||
        !set_text(search->correlation_id, sizeof search->correlation_id, order->correlation_id))
        err = why_set(why, ERR_BAD_INPUT, "what is searched for is too long");
    if (err == ERR_NONE)
        err = begin_scan(search, store, mailbox, order, why);
    if (err != ERR_NONE)
        audit_search_close(search);
    else
        *ret_search = search;
    return err;
}
