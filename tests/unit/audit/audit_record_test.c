/* Tests the JSON of audit records. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_record.h"

#include "base/json_reader.h"
#include "support/test.h"

static struct buffer written;

static struct span write_record(const struct audit_record *record, const char *service)
{
    static const uint64_t id[2] = {UINT64_C(0x5f0e8a2e8c5bfa6e), UINT64_C(0xffff2f6d1c3f0a11)};
    buffer_init(&written, AUDIT_RECORD_SIZE_MAX);
    expect_fine(audit_record_write(&written, record, span_from_text(service), id, 1795334400123));
    return buffer_span(&written);
}

TEST(record_has_the_fields_of_the_page_in_its_order)
{
    struct audit_record record = {
        .event = AUDIT_DEAD,
        .actor = AUDIT_SUBSCRIBER,
        .topic = span_from_text("orders"),
        .offset = 17,
        .count = 1,
        .correlation_id = span_from_text("c-4711"),
        .key = span_from_text("eu.1"),
        .group = span_from_text("billing"),
        .identity = span_from_text("127.0.0.1:40112"),
        .attempt = 1,
        .reason = span_from_text("no such customer"),
        .dead_letter_topic = span_from_text("orders.dlq"),
        .duration_ms = -1,
    };
    expect_span_is(
        write_record(&record, "till"),
        "{\"id\":\"5f0e8a2e-8c5b-4a6e-bfff-2f6d1c3f0a11\",\"serviceId\":\"till\",\"auditType\":"
        "\"ACTIVE_CONSUMER\",\"topic\":\"orders\",\"partition\":0,\"offset\":17,\"correlationId\":\"c-4711\","
        "\"key\":\"eu.1\",\"auditStatus\":\"FAILURE\",\"timestamp\":1795334400123,\"event\":\"dead\","
        "\"group\":\"billing\",\"identity\":\"127.0.0.1:40112\",\"attempt\":1,\"reason\":\"no such "
        "customer\","
        "\"deadLetterTopic\":\"orders.dlq\"}");
    buffer_done(&written);
}

TEST(run_tells_its_end_and_how_many)
{
    struct audit_record record = {
        .event = AUDIT_DONE,
        .actor = AUDIT_DELIVERY,
        .topic = span_from_text("t"),
        .partition = 3,
        .offset = 10,
        .to = 20,
        .count = 9,
        .status = 200,
    };
    expect_span_is(write_record(&record, ""),
                   "{\"id\":\"5f0e8a2e-8c5b-4a6e-bfff-2f6d1c3f0a11\",\"auditType\":\"REACTIVE_CONSUMER\","
                   "\"topic\":\"t\","
                   "\"partition\":3,\"offset\":10,\"auditStatus\":\"SUCCESS\",\"timestamp\":1795334400123,"
                   "\"event\":\"done\",\"to\":20,\"count\":9,\"status\":200,\"duration\":0}");
    buffer_done(&written);
}

TEST(anything_that_comes_from_outside_stays_json_within_its_bound)
{
    static uint8_t bytes[64 * 1024];
    memset(bytes, 1, sizeof bytes);
    struct span hostile = span_of(bytes, sizeof bytes);
    struct audit_record record = {
        .topic = hostile,
        .correlation_id = hostile,
        .traceability_id = hostile,
        .key = span_of("\xff", 1),
        .stacktrace = hostile,
        .group = hostile,
        .identity = hostile,
        .reason = hostile,
        .dead_letter_topic = hostile,
        .replay = hostile,
    };
    struct json_reader reader;
    json_reader_init(&reader, write_record(&record, "a\"b"));
    enum json_kind kind;
    while ((kind = json_reader_next(&reader)) != JSON_END)
        expect(kind != JSON_BAD && !span_equal_text(json_reader_piece(&reader), "key"));
    buffer_done(&written);
}

TEST_MAIN(record_has_the_fields_of_the_page_in_its_order,
          run_tells_its_end_and_how_many,
          anything_that_comes_from_outside_stays_json_within_its_bound)
