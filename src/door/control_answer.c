/* Writes the answers of the control socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/control_answer.h"

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/metric.h"

static void begin(struct json_writer *writer, struct buffer *answers)
{
    json_writer_init(writer, answers);
    json_write_object_begin(writer);
}

static enum err end(struct json_writer *writer)
{
    json_write_object_end(writer);
    return writer->err == ERR_NONE ? buffer_append_text(writer->buffer, "\n") : writer->err;
}

static void write_ok(struct json_writer *writer, bool ok)
{
    json_write_name(writer, "ok");
    json_write_bool(writer, ok);
}

static void write_member(struct json_writer *writer, const char *name, const char *text)
{
    json_write_name(writer, name);
    json_write_text(writer, span_from_text(text));
}

static void write_count(struct json_writer *writer, const char *name, uint64_t value)
{
    json_write_name(writer, name);
    json_write_u64(writer, value);
}

enum err control_answer_ok(struct buffer *answers)
{
    struct json_writer writer;
    begin(&writer, answers);
    write_ok(&writer, true);
    return end(&writer);
}

enum err control_answer_error(struct buffer *answers, enum err err, const char *text)
{
    struct json_writer writer;
    begin(&writer, answers);
    write_ok(&writer, false);
    write_member(&writer, "code", err_name(err));
    write_member(&writer, "text", text);
    return end(&writer);
}

enum err control_answer_topic(struct buffer *answers, struct store *store, const struct store_topic *topic)
{
    struct json_writer writer;
    begin(&writer, answers);
    write_member(&writer, "topic", topic->name);
    json_write_name(&writer, "partitions");
    json_write_array_begin(&writer);
    for (uint32_t i = 0; i < topic->partitions; i++) {
        struct store_extent extent = {0};
        enum err err = store->ops->extent(store, topic->id, i, &extent);
        if (err != ERR_NONE)
            return err;
        json_write_object_begin(&writer);
        write_count(&writer, "start", extent.start);
        write_count(&writer, "end", extent.end);
        write_count(&writer, "bytes", extent.bytes);
        json_write_object_end(&writer);
    }
    json_write_array_end(&writer);
    return end(&writer);
}

static void write_metrics(struct json_writer *writer)
{
    json_write_name(writer, "metrics");
    json_write_object_begin(writer);
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        enum metric metric = (enum metric)i;
        json_write_name(writer, metric_name(metric));
        json_write_i64(writer, metric_get(metric));
    }
    json_write_object_end(writer);
}

static const char *state_name(enum store_state state)
{
    return state == STORE_OPEN ? "open" : state == STORE_FULL ? "full" : "broken";
}

enum err control_answer_status(struct buffer *answers, struct store *store, int64_t uptime_ns)
{
    struct json_writer writer;
    struct why why = {""};
    enum store_state state = store->ops->state(store, &why);
    begin(&writer, answers);
    write_ok(&writer, true);
    write_member(&writer, "version", WAYBILL_VERSION);
    write_member(&writer, "state", state_name(state));
    if (state != STORE_OPEN)
        write_member(&writer, "why", why.text);
    json_write_name(&writer, "uptime_s");
    json_write_i64(&writer, uptime_ns / CLOCK_NS_PER_S);
    write_metrics(&writer);
    return end(&writer);
}

enum err control_answer_metrics(struct buffer *answers)
{
    struct json_writer writer;
    begin(&writer, answers);
    write_ok(&writer, true);
    write_metrics(&writer);
    return end(&writer);
}
