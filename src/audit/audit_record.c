/* The JSON of one audit record. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_record.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_writer.h"
#include "base/utf8.h"

struct event_row {
    const char *name;
    bool is_failure;
};

static const struct event_row events[AUDIT_EVENT_COUNT] = {
    [AUDIT_DONE] = {"done", false},
    [AUDIT_DEAD] = {"dead", true},
    [AUDIT_GIVEN_UP] = {"given_up", true},
    [AUDIT_DROP] = {"drop", true},
    [AUDIT_REPLAY_START] = {"replay_start", false},
    [AUDIT_REPLAY_END] = {"replay_end", false},
    [AUDIT_REROUTE] = {"reroute", false},
    [AUDIT_DEADLETTERS_DROP] = {"deadletters_drop", false},
    [AUDIT_SEEK] = {"seek", false},
};

static const char *const types[AUDIT_ACTOR_COUNT] = {
    [AUDIT_SUBSCRIBER] = "ACTIVE_CONSUMER",
    [AUDIT_DELIVERY] = "REACTIVE_CONSUMER",
    [AUDIT_PRODUCER] = "PRODUCER",
    [AUDIT_OPERATOR] = "OPERATOR",
    [AUDIT_LOG] = "LOG",
};

const char *audit_event_name(enum audit_event event)
{
    check(event < AUDIT_EVENT_COUNT);
    return events[event].name;
}

/* Version 4, RFC 9562. */
static void write_id(struct json_writer *writer, const uint64_t id[2])
{
    char text[40];
    uint64_t high = (id[0] & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    uint64_t low = (id[1] & (UINT64_MAX >> 2)) | UINT64_C(1) << 63;
    (void)snprintf(text, sizeof text, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
                   high >> 32, high >> 16 & 0xffff, high & 0xffff, low >> 48, low & UINT64_C(0xffffffffffff));
    json_write_name(writer, "id");
    json_write_text(writer, span_from_text(text));
}

static void write_text(struct json_writer *writer, const char *name, struct span text, size_t size_max)
{
    if (text.len == 0)
        return;
    text.len = text.len < size_max ? text.len : size_max;
    json_write_name(writer, name);
    json_write_text(writer, text);
}

static void write_u64(struct json_writer *writer, const char *name, uint64_t value)
{
    json_write_name(writer, name);
    json_write_u64(writer, value);
}

static void write_place(struct json_writer *writer, const struct audit_record *record)
{
    if (record->topic.len == 0) /* a segment's records, of many */
        return;
    write_text(writer, "topic", record->topic, AUDIT_TEXT_MAX);
    write_u64(writer, "partition", record->partition);
    write_u64(writer, "offset", record->offset);
}

static void write_run(struct json_writer *writer, const struct audit_record *record)
{
    if (record->count <= 1)
        return;
    if (record->to > record->offset)
        write_u64(writer, "to", record->to);
    write_u64(writer, "count", record->count);
}

static void write_how(struct json_writer *writer, const struct audit_record *record)
{
    if (record->attempt > 0)
        write_u64(writer, "attempt", record->attempt);
    if (record->status > 0)
        write_u64(writer, "status", record->status);
    if (record->duration_ms >= 0)
        write_u64(writer, "duration", (uint64_t)record->duration_ms);
}

static bool is_shown(struct span key)
{
    return key.len <= AUDIT_KEY_MAX && utf8_is_valid(key);
}

enum err audit_record_write(struct buffer *to,
                            const struct audit_record *record,
                            struct span service,
                            const uint64_t id[2],
                            int64_t timestamp_ms)
{
    struct json_writer writer;
    check(record->event < AUDIT_EVENT_COUNT && record->actor < AUDIT_ACTOR_COUNT);
    json_writer_init(&writer, to);
    json_write_object_begin(&writer);
    write_id(&writer, id);
    write_text(&writer, "serviceId", service, AUDIT_TEXT_MAX);
    write_text(&writer, "auditType", span_from_text(types[record->actor]), AUDIT_TEXT_MAX);
    write_place(&writer, record);
    write_text(&writer, "correlationId", record->correlation_id, AUDIT_TEXT_MAX);
    write_text(&writer, "traceabilityId", record->traceability_id, AUDIT_TEXT_MAX);
    if (is_shown(record->key))
        write_text(&writer, "key", record->key, AUDIT_KEY_MAX);
    write_text(&writer, "auditStatus",
               span_from_text(events[record->event].is_failure ? "FAILURE" : "SUCCESS"), AUDIT_TEXT_MAX);
    write_text(&writer, "stacktrace", record->stacktrace, AUDIT_STACKTRACE_MAX);
    json_write_name(&writer, "timestamp");
    json_write_i64(&writer, timestamp_ms);
    write_text(&writer, "event", span_from_text(events[record->event].name), AUDIT_TEXT_MAX);
    write_run(&writer, record);
    write_text(&writer, "group", record->group, AUDIT_TEXT_MAX);
    write_text(&writer, "identity", record->identity, AUDIT_TEXT_MAX);
    write_how(&writer, record);
    write_text(&writer, "reason", record->reason, AUDIT_TEXT_MAX);
    write_text(&writer, "deadLetterTopic", record->dead_letter_topic, AUDIT_TEXT_MAX);
    write_text(&writer, "replay", record->replay, AUDIT_TEXT_MAX);
    json_write_object_end(&writer);
    return writer.err;
}
