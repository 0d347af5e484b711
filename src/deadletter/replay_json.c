/* A replay as a JSON object. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/replay_json.h"

#include "base/json_writer.h"

static void write_text(struct json_writer *writer, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    json_write_name(writer, name);
    json_write_text(writer, span_from_text(text));
}

static void write_number(struct json_writer *writer, const char *name, uint64_t value)
{
    json_write_name(writer, name);
    json_write_u64(writer, value);
}

static const char *state_of(const struct replay_view *view)
{
    if (view->phase <= REPLAY_COUNTING)
        return "counting";
    return view->phase == REPLAY_OVER ? replay_state_name(view->note->state) : "running";
}

/* What was asked for. */
static void write_order(struct json_writer *writer, const struct replay_note *note)
{
    write_text(writer, "by", note->by);
    write_text(writer, "reason", note->reason);
    write_text(writer, "key", note->key);
    write_text(writer, "delivery", note->delivery);
    if (note->rate > 0)
        write_number(writer, "rate", note->rate);
    if (note->is_last_retry) {
        json_write_name(writer, "last_retry");
        json_write_bool(writer, true);
    }
}

static void write_numbers(struct json_writer *writer, const struct replay_view *view)
{
    write_number(writer, "wanted", view->wanted);
    write_number(writer, "given", view->given);
    write_number(writer, "settled", view->settled);
    write_number(writer, "left", view->left);
    write_number(writer, "failed_again", view->failed_again);
    write_number(writer, "completed", view->completed);
    write_number(writer, "left_out", view->left_out);
    write_number(writer, "foreign", view->foreign);
    write_number(writer, "waiting", view->waiting);
}

static void write_lanes(struct json_writer *writer, const struct replay *replay)
{
    const char *group;
    const char *topic;
    uint64_t wanted;
    json_write_name(writer, "lanes");
    json_write_array_begin(writer);
    for (uint32_t i = 0; replay_look_lane(replay, i, &group, &topic, &wanted); i++) {
        json_write_object_begin(writer);
        write_text(writer, "group", group);
        write_text(writer, "topic", topic);
        write_number(writer, "wanted", wanted);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

enum err replay_json_write(struct buffer *to, const struct replay_view *view, const struct replay *replay)
{
    const struct replay_note *note = view->note;
    struct json_writer writer;
    char id[REPLAY_ID_SIZE];
    replay_id_put(id, note->id);
    json_writer_init(&writer, to);
    json_write_object_begin(&writer);
    write_text(&writer, "id", id);
    write_text(&writer, "topic", note->topic);
    write_text(&writer, "state", state_of(view));
    json_write_name(&writer, "dry_run");
    json_write_bool(&writer, view->is_dry);
    write_order(&writer, note);
    write_number(&writer, "started", (uint64_t)note->started_ms);
    if (note->ended_ms > 0)
        write_number(&writer, "ended", (uint64_t)note->ended_ms);
    write_numbers(&writer, view);
    write_text(&writer, "why", view->why);
    if (replay != NULL)
        write_lanes(&writer, replay);
    json_write_object_end(&writer);
    return writer.err;
}
