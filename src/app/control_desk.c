/* A sender is a produce door of its own, for one topic and key; it goes when its connection has gone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/control_desk.h"

#include <stdio.h>
#include <stdlib.h>

#include "door/produce_door.h"

struct sender {
    struct list link;
    struct produce_settings settings;
    struct produce_door produce;
    uint8_t words[]; /* topic and key */
};

static void free_sender(struct control_desk *desk, struct sender *sender)
{
    list_remove(&sender->link);
    desk->sender_count--;
    produce_door_done(&sender->produce);
    free(sender);
}

static void free_idle_senders(struct control_desk *desk)
{
    LIST_EACH_SAFE (&desk->senders, link) {
        struct sender *sender = LIST_OWNER(link, struct sender, link);
        if (sender->produce.door.connection_count == 0)
            free_sender(desk, sender);
    }
}

static enum err
sender_new(struct control_desk *desk, struct span topic, struct span key, struct sender **ret_sender)
{
    struct sender *sender = calloc(1, sizeof *sender + topic.len + key.len);
    if (sender == NULL)
        return ERR_MEMORY;
    memcpy(sender->words, topic.data, topic.len);
    if (key.len > 0)
        memcpy(sender->words + topic.len, key.data, key.len);
    sender->settings = PRODUCE_SETTINGS_DEFAULT;
    sender->settings.fields = span_from_text("body");
    sender->settings.topic = span_of(sender->words, topic.len);
    sender->settings.key = span_of(sender->words + topic.len, key.len);
    sender->settings.otherwise = span_of("", 0);
    if (sender->settings.max_line > desk->gate->store->record_size_max)
        sender->settings.max_line = desk->gate->store->record_size_max;
    /* Its numbers are nobody's business, so they must not stand between those of producers. */
    sender->settings.sequence = span_from_text("control");
    struct why why;
    enum err err = produce_door_init(&sender->produce, &sender->settings, desk->gate, "send", &why);
    if (err != ERR_NONE) {
        free(sender);
        return err;
    }
    list_insert_last(&desk->senders, &sender->link);
    desk->sender_count++;
    *ret_sender = sender;
    return ERR_NONE;
}

static enum err
take_producer(void *owner, struct stream *stream, struct span topic, struct span key, bool has_key)
{
    struct control_desk *desk = owner;
    if (desk->is_draining)
        return ERR_DRAINING;
    if (!store_topic_name_is_legal(topic))
        return ERR_BAD_NAME;
    free_idle_senders(desk);
    if (desk->sender_count == CONTROL_SENDERS_MAX)
        return ERR_TOO_MANY;
    struct sender *sender;
    enum err err = sender_new(desk, topic, has_key ? key : span_of("", 0), &sender);
    if (err != ERR_NONE)
        return err;
    struct door *door = &sender->produce.door;
    check(door->ops != NULL);
    err = door->ops->on_accepted(door, stream);
    if (err != ERR_NONE)
        free_sender(desk, sender);
    return err;
}

/* --- Operations of other rooms ------------------------------------------------------------------ */

static enum err begin_operation(void *owner,
                                struct span request,
                                const struct control_sink *sink,
                                struct why *why,
                                struct control_task **ret_task)
{
    struct control_desk *desk = owner;
    for (unsigned i = 0; i < desk->operation_count; i++) {
        const struct control_operations *operations = &desk->operations[i];
        enum err err = operations->begin(operations->owner, request, sink, why, ret_task);
        if (err != ERR_NOT_FOUND || why->text[0] != '\0')
            return err;
    }
    return ERR_NOT_FOUND;
}

static void add_operations(struct control_desk *desk, struct control_operations operations)
{
    size_t len = strlen(desk->operation_names);
    check(desk->operation_count < CONTROL_OPERATIONS_MAX);
    desk->operations[desk->operation_count++] = operations;
    int put = snprintf(desk->operation_names + len, sizeof desk->operation_names - len, "%s%s",
                       len == 0 ? "" : " ", operations.names);
    check(put > 0 && (size_t)put < sizeof desk->operation_names - len);
}

/* --- Life --------------------------------------------------------------------------------------- */

enum err control_desk_init(struct control_desk *desk,
                           struct append_gate *gate,
                           struct receipts *receipts,
                           struct groups *groups,
                           const struct control_operations *letters,
                           const struct listen_socket *socket)
{
    struct control_options options = {.groups = groups,
                                      .take_producer = take_producer,
                                      .owner = desk,
                                      .operations = {.begin = begin_operation, .owner = desk}};
    *desk = (struct control_desk){.gate = gate,
                                  .receipts = {gate->store, gate->loop, receipts},
                                  .groups = {gate->store, gate->loop, groups}};
    list_init(&desk->senders);
    add_operations(desk, receipt_desk_operations(&desk->receipts));
    add_operations(desk, group_desk_operations(&desk->groups));
    add_operations(desk, *letters);
    options.operations.names = desk->operation_names;
    control_door_init(&desk->control, gate->loop, "control", gate->store, options);
    enum err err = door_listen(&desk->control.door, socket);
    if (err != ERR_NONE)
        control_door_done(&desk->control);
    return err;
}

void control_desk_done(struct control_desk *desk)
{
    free_idle_senders(desk);
    check(list_is_empty(&desk->senders));
    control_door_done(&desk->control);
}

unsigned control_desk_drain(struct control_desk *desk, void (*on_drained)(void *owner), void *owner)
{
    unsigned doors = 1;
    desk->is_draining = true;
    LIST_EACH (&desk->senders, link) {
        door_drain(&LIST_OWNER(link, struct sender, link)->produce.door, on_drained, owner);
        doors++;
    }
    door_drain(&desk->control.door, on_drained, owner);
    return doors;
}

void control_desk_cut(struct control_desk *desk)
{
    LIST_EACH (&desk->senders, link)
        door_cut(&LIST_OWNER(link, struct sender, link)->produce.door);
    door_cut(&desk->control.door);
}
