/* Text where bytes are UTF-8, base64 under another name where they are not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/letter_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/json_writer.h"
#include "base/utf8.h"
#include "wire/line_number.h"

enum { NAME_SIZE = 64, ID_SIZE = STORE_TOPIC_NAME_MAX + 48 };

const char letter_reroute_group[] = "waybill.reroute";
const char letter_drop_group[] = "waybill.drop";

/* --- State ---------------------------------------------------------------------------------------- */

static uint32_t find_group(struct store *store, struct span name)
{
    uint32_t group;
    return store->outcomes->group_open(store, name, false, &group) == ERR_NONE ? group : UINT32_MAX;
}

static enum store_outcome
outcome_of(struct store *store, const char *group_name, const struct store_position *position)
{
    uint32_t group = find_group(store, span_from_text(group_name));
    return group == UINT32_MAX ? STORE_OUTCOME_OPEN : store->outcomes->outcome(store, group, *position);
}

static const char *state_of_line(struct store *store, const struct store_position *position)
{
    if (outcome_of(store, letter_reroute_group, position) != STORE_OUTCOME_OPEN)
        return "rerouted";
    return outcome_of(store, letter_drop_group, position) != STORE_OUTCOME_OPEN ? "dropped" : "open";
}

const char *letter_state_find(struct letter_state *state,
                              struct store *store,
                              const struct store_position *position,
                              const struct letter_view *view)
{
    static const char *const names[STORE_OUTCOME_COUNT] = {
        [STORE_OUTCOME_OPEN] = "open",         [STORE_OUTCOME_DONE] = "replayed",
        [STORE_OUTCOME_DEAD] = "failed_again", [STORE_OUTCOME_SKIPPED] = "dropped",
        [STORE_OUTCOME_EXPIRED] = "expired",
    };
    if (!view->is_letter)
        return state_of_line(store, position);
    struct span name = view->letter.group;
    if (!span_equal_text(name, state->group_name)) {
        if (!store_topic_name_is_legal(name))
            return "open";
        memcpy(state->group_name, name.data, name.len);
        state->group_name[name.len] = '\0';
        state->group = find_group(store, name);
    }
    if (state->group == UINT32_MAX)
        return "open";
    return names[store->outcomes->outcome(store, state->group, *position)];
}

/* --- Members -------------------------------------------------------------------------------------- */

static void write_base64(struct json_writer *writer, struct span bytes)
{
    uint8_t text[4 * 1024 + 2]; /* between quotes, a piece at a time: groups of three stay whole */
    struct buffer *to = writer->buffer;
    json_write_raw(writer, span_of("\"", 1));
    while (bytes.len > 0 && writer->err == ERR_NONE) {
        struct span piece = span_of(bytes.data, bytes.len < 3072 ? bytes.len : 3072);
        uint8_t *end = base64_put(text, piece);
        writer->err = buffer_append(to, span_of(text, (size_t)(end - text)));
        bytes = span_after(bytes, piece.len);
    }
    if (writer->err == ERR_NONE)
        writer->err = buffer_append_text(to, "\"");
}

/* `name`, or `name`_base64. */
static void write_bytes(struct json_writer *writer, const char *name, struct span bytes)
{
    char other[NAME_SIZE];
    if (utf8_is_valid(bytes)) {
        json_write_name(writer, name);
        json_write_text(writer, bytes);
        return;
    }
    (void)snprintf(other, sizeof other, "%s_base64", name);
    json_write_name(writer, other);
    write_base64(writer, bytes);
}

static void write_text(struct json_writer *writer, const char *name, struct span text)
{
    if (text.len == 0)
        return;
    json_write_name(writer, name);
    json_write_text(writer, text);
}

static void write_i64(struct json_writer *writer, const char *name, int64_t value)
{
    json_write_name(writer, name);
    json_write_i64(writer, value);
}

static void
write_id(struct json_writer *writer, const char *name, struct span topic, uint32_t partition, uint64_t offset)
{
    char id[ID_SIZE];
    if (topic.len > STORE_TOPIC_NAME_MAX)
        return;
    (void)snprintf(id, sizeof id, "%.*s/%u/%" PRIu64, (int)topic.len, (const char *)topic.data, partition,
                   offset);
    json_write_name(writer, name);
    json_write_text(writer, span_from_text(id));
}

/* A parked line was given up by nobody: it came when it came. */
static void write_history(struct json_writer *writer, const struct letter_view *view)
{
    const struct dead_letter *letter = &view->letter;
    write_text(writer, "reason", view->reason);
    if (!view->is_letter) {
        write_i64(writer, "attempts", 0);
        write_i64(writer, "first", view->record->timestamp_ms);
        write_i64(writer, "last", view->record->timestamp_ms);
        return;
    }
    write_i64(writer, "attempts", letter->attempts);
    write_text(writer, "stacktrace", letter->stacktrace);
    write_i64(writer, "first", letter->first_ms);
    write_i64(writer, "last", letter->last_ms);
    write_text(writer, "by", letter->by);
}

static void write_seq(struct json_writer *writer, const struct letter_view *view)
{
    struct span seq = dead_letter_header(view->record, view->headers, "seq");
    uint64_t number;
    if (!line_number_parse(seq, &number))
        return;
    json_write_name(writer, "seq");
    json_write_u64(writer, number);
}

static struct span own_or(const struct letter_view *view, const char *header, struct span consumers)
{
    struct span own = dead_letter_header(view->record, view->headers, header);
    return own.len > 0 ? own : consumers;
}

static void write_headers(struct json_writer *writer, const struct letter_view *view)
{
    size_t left = LETTER_VALUE_SHOWN_MAX;
    json_write_name(writer, "headers");
    json_write_array_begin(writer);
    for (uint32_t i = 0; i < view->headers; i++) {
        const struct record_header *header = &view->record->headers[i];
        size_t size = header->name.len + header->value.len;
        if (size > left)
            break;
        left -= size;
        json_write_object_begin(writer);
        write_bytes(writer, "name", header->name);
        if (!header->value_is_null)
            write_bytes(writer, "value", header->value);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

static void write_whole(struct json_writer *writer, const struct letter_view *view)
{
    const struct record *record = view->record;
    struct span value = record->value;
    write_i64(writer, "timestamp", view->is_letter ? view->letter.timestamp_ms : record->timestamp_ms);
    write_headers(writer, view);
    if (value.len > LETTER_VALUE_SHOWN_MAX) {
        json_write_name(writer, "value_is_cut");
        json_write_bool(writer, true);
        value.len = LETTER_VALUE_SHOWN_MAX;
    }
    if (!record->value_is_null)
        write_bytes(writer, "value", value);
}

enum err letter_json_write(struct buffer *to,
                           const char *topic,
                           uint32_t partition,
                           const struct letter_view *view,
                           const char *state,
                           bool is_whole)
{
    struct json_writer writer;
    const struct record *record = view->record;
    json_writer_init(&writer, to);
    json_write_object_begin(&writer);
    write_id(&writer, "id", span_from_text(topic), partition, record->offset);
    if (view->is_letter) {
        write_id(&writer, "origin", view->letter.topic, view->letter.partition, view->letter.offset);
        write_text(&writer, "group", view->letter.group);
    }
    write_text(&writer, "state", span_from_text(state));
    write_history(&writer, view);
    if (!record->key_is_null)
        write_bytes(&writer, "key", record->key);
    write_seq(&writer, view);
    write_text(&writer, "correlation_id", own_or(view, "X-Correlation-Id", view->letter.correlation_id));
    write_text(&writer, "traceability_id", own_or(view, "X-Traceability-Id", view->letter.traceability_id));
    write_i64(&writer, "bytes", (int64_t)record->value.len);
    if (is_whole)
        write_whole(&writer, view);
    json_write_object_end(&writer);
    return writer.err;
}
