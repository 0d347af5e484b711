/* A scan with a filter and a limit. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/letter_list.h"

#include <inttypes.h>
#include <stdlib.h>

struct letter_list {
    struct store *store;
    struct letter_list_events events;
    struct store_topic topic;
    struct letter_filter filter;
    struct letter_state state;
    struct record_scan_range *ranges;
    struct record_scan *scan;
    struct buffer json;
    struct buffer next;
    uint64_t left; /* letters that may still be handed out */
    bool is_whole;
    bool is_paused;
    enum err err;
};

struct letter_list *letter_list_close(struct letter_list *list)
{
    if (list == NULL)
        return NULL;
    record_scan_close(list->scan);
    letter_filter_done(&list->filter);
    buffer_done(&list->json);
    buffer_done(&list->next);
    free(list->ranges);
    free(list);
    return NULL;
}

static enum record_scan_next stop(struct letter_list *list, enum err err)
{
    list->err = err;
    return RECORD_SCAN_STOP;
}

static enum record_scan_next on_record(void *owner, uint32_t partition, const struct record *record)
{
    struct letter_list *list = owner;
    struct letter_view view;
    if (list->is_paused)
        return RECORD_SCAN_WAIT;
    letter_look(record, &view);
    if (!letter_filter_takes(&list->filter, &view))
        return RECORD_SCAN_GO_ON;
    struct store_position position = {list->topic.id, partition, record->offset};
    const char *state = letter_state_find(&list->state, list->store, &position, &view);
    buffer_clear(&list->json);
    enum err err = letter_json_write(&list->json, list->topic.name, partition, &view, state, list->is_whole);
    if (err != ERR_NONE)
        return stop(list, err);
    list->is_paused = !list->events.on_letter(list->events.owner, buffer_span(&list->json));
    return --list->left == 0 ? RECORD_SCAN_STOP : RECORD_SCAN_GO_ON;
}

/* All that was not read: where the scan stands, and the partitions behind it. */
static enum err write_next(struct letter_list *list)
{
    struct store_position place = record_scan_place(list->scan);
    enum err err = ERR_NONE;
    for (uint32_t i = place.partition; i < list->topic.partitions && err == ERR_NONE; i++) {
        uint64_t from = i == place.partition ? place.offset : list->ranges[i].from;
        if (from < list->ranges[i].to)
            err = buffer_printf(&list->next, "%s%u:%" PRIu64, list->next.len > 0 ? "," : "", i, from);
    }
    return err;
}

static void on_end(void *owner, enum err err)
{
    struct letter_list *list = owner;
    if (err == ERR_NONE)
        err = list->err;
    if (err == ERR_NONE)
        err = write_next(list);
    list->events.on_end(list->events.owner, err, buffer_span(&list->next));
}

void letter_list_resume(struct letter_list *list)
{
    list->is_paused = false;
    record_scan_resume(list->scan);
}

static enum err open_parts(struct letter_list *list,
                           struct mailbox *mailbox,
                           const struct letter_list_order *order,
                           struct why *why)
{
    struct store *store = list->store;
    struct record_scan_events events = {on_record, on_end, list};
    enum err err = store->ops->topic_open(store, order->topic, 0, false, &list->topic);
    if (err != ERR_NONE)
        return why_set(why, err, "%.*s: %s", (int)order->topic.len, (const char *)order->topic.data,
                       err_text(err));
    err = letter_filter_init(&list->filter, order->reason, order->key, why);
    if (err == ERR_NONE)
        err = range_text_parse(store, &list->topic, order->from, order->to, why, &list->ranges);
    if (err != ERR_NONE)
        return err;
    struct record_scan_order scan = {list->topic.id, list->ranges, list->topic.partitions};
    return record_scan_new(store, mailbox, &scan, &events, &list->scan);
}

enum err letter_list_new(struct store *store,
                         struct mailbox *mailbox,
                         const struct letter_list_order *order,
                         const struct letter_list_events *events,
                         struct why *why,
                         struct letter_list **ret_list)
{
    struct letter_list *list = calloc(1, sizeof *list);
    if (list == NULL)
        return ERR_MEMORY;
    uint64_t limit = order->limit == 0 ? LETTER_LIST_DEFAULT : order->limit;
    list->store = store;
    list->events = *events;
    list->left = limit < LETTER_LIST_MAX ? limit : LETTER_LIST_MAX;
    list->is_whole = order->is_whole;
    list->state.group = UINT32_MAX;
    buffer_init(&list->json, LETTER_JSON_SIZE_MAX);
    buffer_init(&list->next, RANGE_TEXT_MAX);
    enum err err = open_parts(list, mailbox, order, why);
    if (err != ERR_NONE)
        letter_list_close(list);
    else
        *ret_list = list;
    return err;
}
