/* Writes and reads the notes of a replay: a table of members. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/replay_note.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/json_reader.h"
#include "base/json_writer.h"

enum { KEY_SIZE = 40, ID_DIGITS = REPLAY_ID_SIZE - 1 };

static const char *const state_names[REPLAY_STATE_COUNT] = {
    [REPLAY_RUNNING] = "running", [REPLAY_DONE] = "done", [REPLAY_STOPPED] = "stopped"};

const char *replay_state_name(enum replay_state state)
{
    check(state < REPLAY_STATE_COUNT);
    return state_names[state];
}

void replay_id_put(char text[static REPLAY_ID_SIZE], uint64_t id)
{
    (void)snprintf(text, REPLAY_ID_SIZE, "%08" PRIu64, id % 100000000);
}

bool replay_id_parse(struct span text, uint64_t *ret_id)
{
    return text.len <= ID_DIGITS && span_to_u64(text, ret_id) && *ret_id > 0;
}

/* --- The object ----------------------------------------------------------------------------------- */

enum kind { KIND_TEXT, KIND_NUMBER, KIND_TRUTH, KIND_STATE };

struct member {
    const char *name;
    enum kind kind;
    size_t offset;
    size_t size; /* of a text, with its zero byte */
};

#define TEXT(name, field)                                                                                    \
    {                                                                                                        \
        name, KIND_TEXT, offsetof(struct replay_note, field), sizeof(((struct replay_note *)0)->field)       \
    }
#define MEMBER(name, kind, field)                                                                            \
    {                                                                                                        \
        name, kind, offsetof(struct replay_note, field), 0                                                   \
    }

static const struct member members[] = {
    TEXT("topic", topic),
    MEMBER("state", KIND_STATE, state),
    TEXT("by", by),
    TEXT("reason", reason),
    TEXT("key", key),
    MEMBER("rate", KIND_NUMBER, rate),
    MEMBER("last_retry", KIND_TRUTH, is_last_retry),
    TEXT("delivery", delivery),
    MEMBER("started", KIND_NUMBER, started_ms),
    MEMBER("ended", KIND_NUMBER, ended_ms),
    MEMBER("counted", KIND_TRUTH, is_counted),
    MEMBER("wanted", KIND_NUMBER, wanted),
    MEMBER("settled", KIND_NUMBER, settled),
    MEMBER("failed_again", KIND_NUMBER, failed_again),
    TEXT("why", why),
};

enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

static void
write_member(struct json_writer *writer, const struct replay_note *note, const struct member *member)
{
    const uint8_t *field = (const uint8_t *)note + member->offset;
    json_write_name(writer, member->name);
    switch (member->kind) {
    case KIND_TEXT: json_write_text(writer, span_from_text((const char *)field)); break;
    case KIND_NUMBER: json_write_u64(writer, *(const uint64_t *)(const void *)field); break;
    case KIND_TRUTH: json_write_bool(writer, *(const bool *)field); break;
    case KIND_STATE: json_write_text(writer, span_from_text(replay_state_name(note->state))); break;
    }
}

static bool read_state(struct span piece, enum replay_state *ret_state)
{
    for (unsigned i = 0; i < REPLAY_STATE_COUNT; i++)
        if (json_text_equal(piece, state_names[i])) {
            *ret_state = (enum replay_state)i;
            return true;
        }
    return false;
}

static bool read_text(struct span piece, char *to, size_t size)
{
    uint8_t text[STORE_NOTE_VALUE_MAX];
    if (piece.len > sizeof text)
        return false;
    size_t len = json_text_resolve(piece, text);
    if (len >= size)
        return false;
    memcpy(to, text, len);
    to[len] = '\0';
    return true;
}

static bool read_number(struct span piece, uint64_t *ret_number)
{
    return span_to_u64(piece, ret_number) && *ret_number <= INT64_MAX;
}

static bool
read_member(struct replay_note *note, const struct member *member, enum json_kind kind, struct span piece)
{
    uint8_t *field = (uint8_t *)note + member->offset;
    switch (member->kind) {
    case KIND_TEXT: return kind == JSON_STRING && read_text(piece, (char *)field, member->size);
    case KIND_NUMBER: return kind == JSON_NUMBER && read_number(piece, (uint64_t *)(void *)field);
    case KIND_TRUTH: *(bool *)field = kind == JSON_TRUE; return kind == JSON_TRUE || kind == JSON_FALSE;
    case KIND_STATE: return kind == JSON_STRING && read_state(piece, &note->state);
    }
    return false;
}

/* Unknown members are a newer version's. */
static bool read_named(struct json_reader *reader, struct replay_note *note)
{
    struct span name = json_reader_piece(reader);
    for (unsigned i = 0; i < MEMBERS; i++)
        if (json_text_equal(name, members[i].name)) {
            enum json_kind kind = json_reader_next(reader);
            return read_member(note, &members[i], kind, json_reader_piece(reader));
        }
    return json_reader_skip(reader);
}

static bool read_object(struct span value, struct replay_note *note)
{
    struct json_reader reader;
    json_reader_init(&reader, value);
    if (json_reader_next(&reader) != JSON_OBJECT_BEGIN)
        return false;
    enum json_kind kind;
    while ((kind = json_reader_next(&reader)) == JSON_NAME)
        if (!read_named(&reader, note))
            return false;
    return kind == JSON_OBJECT_END && json_reader_next(&reader) == JSON_END;
}

/* --- Notes ---------------------------------------------------------------------------------------- */

static struct span put_key(char key[static KEY_SIZE], uint64_t id, int64_t part)
{
    char text[REPLAY_ID_SIZE];
    replay_id_put(text, id);
    int len = part < 0 ? snprintf(key, KEY_SIZE, "replay/%s", text)
                       : snprintf(key, KEY_SIZE, "replay/%s/%" PRId64, text, part);
    return span_of(key, (size_t)len);
}

static enum err add_note(struct append_builder *builder, uint64_t id, int64_t part, struct buffer *value)
{
    char key[KEY_SIZE];
    struct store_note note = {.key = put_key(key, id, part), .value = buffer_span(value)};
    enum err err = append_builder_add_note(builder, &note);
    buffer_done(value);
    return err;
}

enum err replay_note_add(struct append_builder *builder, const struct replay_note *note)
{
    struct buffer value;
    struct json_writer writer;
    buffer_init(&value, STORE_NOTE_VALUE_MAX);
    json_writer_init(&writer, &value);
    json_write_object_begin(&writer);
    for (unsigned i = 0; i < MEMBERS; i++)
        write_member(&writer, note, &members[i]);
    json_write_object_end(&writer);
    if (writer.err == ERR_NONE)
        return add_note(builder, note->id, -1, &value);
    buffer_done(&value);
    return writer.err;
}

bool replay_note_read(struct span key, struct span value, struct replay_note *ret_note)
{
    struct replay_note note = {0};
    const size_t prefix = sizeof "replay/" - 1;
    if (!span_starts_with(key, "replay/") || key.len != prefix + ID_DIGITS ||
        !replay_id_parse(span_after(key, prefix), &note.id) || !read_object(value, &note) ||
        !store_topic_name_is_legal(span_from_text(note.topic)))
        return false;
    *ret_note = note;
    return true;
}

enum err replay_note_forget(struct append_builder *builder, uint64_t id, uint32_t partitions)
{
    char key[KEY_SIZE];
    struct store_note note = {.key = put_key(key, id, -1)};
    enum err err = append_builder_add_note(builder, &note);
    for (uint32_t i = 0; i * REPLAY_PARTITIONS < partitions && err == ERR_NONE; i++) {
        note.key = put_key(key, id, i);
        err = append_builder_add_note(builder, &note);
    }
    return err;
}

/* --- Ranges --------------------------------------------------------------------------------------- */

/* Binary would be shorter; people read notes, too. A range takes at most 4 + 20 + 20 + 4 bytes: most notes are far from full. */
static enum err add_some(struct append_builder *builder,
                         uint64_t id,
                         uint32_t first,
                         const struct record_scan_range *ranges,
                         uint32_t count)
{
    struct buffer value;
    struct json_writer writer;
    buffer_init(&value, STORE_NOTE_VALUE_MAX);
    json_writer_init(&writer, &value);
    json_write_array_begin(&writer);
    for (uint32_t i = first; i < count && i < first + REPLAY_PARTITIONS; i++) {
        json_write_array_begin(&writer);
        json_write_u64(&writer, i);
        json_write_u64(&writer, ranges[i].from);
        json_write_u64(&writer, ranges[i].to);
        json_write_array_end(&writer);
    }
    json_write_array_end(&writer);
    if (writer.err == ERR_NONE)
        return add_note(builder, id, first / REPLAY_PARTITIONS, &value);
    buffer_done(&value);
    return writer.err;
}

enum err replay_note_add_ranges(struct append_builder *builder,
                                uint64_t id,
                                const struct record_scan_range *ranges,
                                uint32_t count)
{
    enum err err = ERR_NONE;
    for (uint32_t first = 0; first < count && err == ERR_NONE; first += REPLAY_PARTITIONS)
        err = add_some(builder, id, first, ranges, count);
    return err;
}

static bool read_range(struct json_reader *reader, struct record_scan_range *ranges, uint32_t count)
{
    uint64_t numbers[3];
    for (unsigned i = 0; i < 3; i++)
        if (json_reader_next(reader) != JSON_NUMBER || !read_number(json_reader_piece(reader), &numbers[i]))
            return false;
    if (json_reader_next(reader) != JSON_ARRAY_END || numbers[1] > numbers[2])
        return false;
    if (numbers[0] < count)
        ranges[numbers[0]] = (struct record_scan_range){numbers[1], numbers[2]};
    return true;
}

static bool read_ranges(struct span value, struct record_scan_range *ranges, uint32_t count)
{
    struct json_reader reader;
    enum json_kind kind;
    json_reader_init(&reader, value);
    if (json_reader_next(&reader) != JSON_ARRAY_BEGIN)
        return false;
    while ((kind = json_reader_next(&reader)) == JSON_ARRAY_BEGIN)
        if (!read_range(&reader, ranges, count))
            return false;
    return kind == JSON_ARRAY_END && json_reader_next(&reader) == JSON_END;
}

enum err
replay_note_read_ranges(struct store *store, uint64_t id, struct record_scan_range *ranges, uint32_t count)
{
    enum err err = ERR_NONE;
    struct buffer value;
    buffer_init(&value, STORE_NOTE_VALUE_MAX);
    for (uint32_t i = 0; i * REPLAY_PARTITIONS < count && err == ERR_NONE; i++) {
        char key[KEY_SIZE];
        buffer_clear(&value);
        err = store->outcomes->note(store, put_key(key, id, i), &value);
        if (err == ERR_NONE && !read_ranges(buffer_span(&value), ranges, count))
            err = ERR_BAD_INPUT;
    }
    buffer_done(&value);
    return err;
}
