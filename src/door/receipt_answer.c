/* A receipt as JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/receipt_answer.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json_writer.h"

enum { ID_SIZE = STORE_TOPIC_NAME_MAX + 40 };

static void write_text(struct json_writer *writer, const char *name, const char *text)
{
    json_write_name(writer, name);
    json_write_text(writer, span_from_text(text));
}

static void write_number(struct json_writer *writer, const char *name, uint64_t number)
{
    json_write_name(writer, name);
    json_write_u64(writer, number);
}

static void write_time(struct json_writer *writer, const char *name, int64_t wall_ns)
{
    if (wall_ns <= 0)
        return;
    json_write_name(writer, name);
    json_write_i64(writer, wall_ns / CLOCK_NS_PER_MS);
}

static void write_id(struct json_writer *writer, const char *topic, const struct store_position *position)
{
    char id[ID_SIZE];
    (void)snprintf(id, sizeof id, "%s/%u/%llu", topic, position->partition,
                   (unsigned long long)position->offset);
    write_text(writer, "id", id);
}

static void write_group(struct json_writer *writer, const struct receipt_group *group)
{
    const struct store_fate *fate = &group->fate;
    json_write_object_begin(writer);
    write_text(writer, "group", group->group.name);
    write_text(writer, "state", receipt_outcome_name(group));
    write_number(writer, "attempts", fate->attempts);
    write_time(writer, "at", fate->at_ns);
    if (fate->status > 0)
        write_number(writer, "status", fate->status);
    if (fate->by_len > 0) {
        json_write_name(writer, "by");
        json_write_text(writer, span_of(fate->by, fate->by_len));
    }
    json_write_name(writer, "decides");
    json_write_bool(writer, group->decides);
    json_write_object_end(writer);
}

static void
write_letter(struct json_writer *writer, struct receipts *receipts, const struct receipt_group *group)
{
    char topic[STORE_TOPIC_NAME_MAX + 1];
    json_write_object_begin(writer);
    write_text(writer, "group", group->group.name);
    write_id(writer, receipts_topic_name(receipts, group->dead_letter.topic, topic), &group->dead_letter);
    json_write_object_end(writer);
}

/* The dead letter of the first group that has one, and what its replay came to. */
static void
write_dead_letter(struct json_writer *writer, struct receipts *receipts, const struct receipt *receipt)
{
    struct receipt_group group = {.has_dead_letter = false};
    for (uint32_t position = 0; receipts_next_group(receipts, receipt, &position, &group);)
        if (group.has_dead_letter)
            break;
    if (!group.has_dead_letter)
        return;
    json_write_name(writer, "dead_letter");
    write_letter(writer, receipts, &group);
    if (!group.is_replayed)
        return;
    json_write_name(writer, "replay");
    write_group(writer, &group);
}

enum err
receipt_answer(struct buffer *answers, struct receipts *receipts, uint64_t seq, const struct receipt *receipt)
{
    struct json_writer writer;
    struct receipt_group group;
    json_writer_init(&writer, answers);
    json_write_object_begin(&writer);
    write_id(&writer, receipt->topic, &receipt->position);
    write_text(&writer, "topic", receipt->topic);
    write_number(&writer, "partition", receipt->position.partition);
    write_number(&writer, "offset", receipt->position.offset);
    if (seq > 0)
        write_number(&writer, "seq", seq);
    write_text(&writer, "state", receipt_state_name(receipt->state));
    if (receipt->is_expired)
        write_text(&writer, "record", "expired");
    write_time(&writer, "stored_at", receipt->stored_ns);
    json_write_name(&writer, "groups");
    json_write_array_begin(&writer);
    for (uint32_t position = 0; receipts_next_group(receipts, receipt, &position, &group);)
        write_group(&writer, &group);
    json_write_array_end(&writer);
    write_dead_letter(&writer, receipts, receipt);
    json_write_object_end(&writer);
    return writer.err == ERR_NONE ? buffer_append_text(answers, "\n") : writer.err;
}
