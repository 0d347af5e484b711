/* What was sent and promised, compared with the log. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/test.h"
#include "wire/record_batch.h"

enum {
    TEXT_MAX = 64 * 1024,
    READ_SIZE = 256 * 1024,
    FIELDS_MAX = 8,
};

static const char timestamp[] = "1700000000000";

void ledger_init(struct ledger *ledger, size_t max_line)
{
    *ledger = (struct ledger){.max_line = max_line};
}

void ledger_done(struct ledger *ledger)
{
    free(ledger->lines);
}

uint32_t ledger_connect(struct ledger *ledger)
{
    return ledger->connections++;
}

/* Any byte but LF and CR, so that each is told from its neighbours. */
static enum err put_body(struct buffer *text, const struct ledger_line *line)
{
    size_t start = text->len;
    enum err err = buffer_printf(text, "#%" PRIu32 "#", line->id);
    if (err == ERR_NONE)
        err = buffer_reserve(text, line->body_len);
    for (size_t i = text->len - start; err == ERR_NONE && i < line->body_len; i++)
        text->data[text->len++] = (uint8_t)(33 + (line->id * 7 + i * 13) % 220);
    return err;
}

static void put_line(struct buffer *text, const struct ledger_line *line)
{
    enum err err = ERR_NONE;
    if (line->kind == LEDGER_MESSAGE)
        err = buffer_printf(text, "%s|%s|%s|", line->topic, line->key, timestamp);
    if (err == ERR_NONE && line->kind == LEDGER_MESSAGE && line->number != 0)
        err = buffer_printf(text, "%" PRIu64 "|", line->number);
    if (err == ERR_NONE)
        err = put_body(text, line);
    expect_fine(err);
}

/* A malformed line is one without separators. */
static void replace_separators(struct buffer *text, size_t start)
{
    for (size_t i = start; i < text->len; i++)
        if (text->data[i] == '|')
            text->data[i] = '/';
}

static void put_text(struct buffer *text, const struct ledger_line *line)
{
    size_t start = text->len;
    put_line(text, line);
    if (line->kind != LEDGER_MESSAGE)
        replace_separators(text, start);
}

uint32_t ledger_send(struct ledger *ledger, const struct ledger_line *about, struct buffer *text)
{
    if (ledger->count == ledger->size) {
        ledger->size = ledger->size == 0 ? 256 : 2 * ledger->size;
        ledger->lines = realloc(ledger->lines, ledger->size * sizeof *ledger->lines);
        check(ledger->lines != NULL);
    }
    struct ledger_line *line = &ledger->lines[ledger->count];
    *line = *about;
    line->id = ledger->count++;
    ledger->sent[line->sequence]++;
    check(line->number < LEDGER_NUMBERS_MAX && ledger->sent[line->sequence] < LEDGER_NUMBERS_MAX);
    ledger->numbers[line->sequence][line->number].is_sent = true;
    put_text(text, line);
    expect_fine(buffer_append_text(text, "\n"));
    return line->id;
}

struct ledger_line *ledger_find(struct ledger *ledger, struct span body)
{
    uint64_t id = 0;
    size_t end = body.len == 0 ? 0 : 1 + span_find(span_after(body, 1), '#');
    if (end >= body.len || body.data[0] != '#' || !span_to_u64(span_of(body.data + 1, end - 1), &id) ||
        id >= ledger->count)
        test_fail("nobody sent this: \"%.*s\"", (int)(body.len < 60 ? body.len : 60),
                  (const char *)body.data);
    return &ledger->lines[id];
}

/* --- Promises ------------------------------------------------------------------------------------- */

void ledger_promise_number(struct ledger *ledger, uint32_t sequence, uint64_t number)
{
    check(sequence < LEDGER_SEQUENCES);
    if (number == 0 || number >= LEDGER_NUMBERS_MAX)
        test_fail("number %" PRIu64 " is stored, and was never sent", number);
    struct ledger_number *known = &ledger->numbers[sequence][number];
    if (!known->is_sent && number > ledger->sent[sequence])
        test_fail("number %" PRIu64 " of sequence %" PRIu32 " is stored, and was never sent", number,
                  sequence);
    known->is_promised = true;
    if (number > ledger->highest_promised[sequence])
        ledger->highest_promised[sequence] = number;
}

void ledger_promise(struct ledger *ledger, uint32_t id)
{
    struct ledger_line *line = &ledger->lines[id];
    if (line->number != 0)
        ledger_promise_number(ledger, line->sequence, line->number);
    if (!line->may_be_dropped)
        line->is_promised = true;
}

void ledger_refuse(struct ledger *ledger, uint32_t id)
{
    ledger->lines[id].is_refused = true;
}

/* --- The log ---------------------------------------------------------------------------------------- */

struct look {
    struct ledger *ledger;
    struct store *store;
    struct store_topic topic;
    uint32_t partition;
    uint64_t next;  /* offset */
    uint32_t *last; /* by connection: 1 + id of the last line seen in this partition */
    uint8_t *buffer;
};

static void expect_header(const struct record *record, uint32_t *at, const char *name, struct span value)
{
    if (*at >= record->header_count)
        test_fail("header %s is missing", name);
    expect_span_is(record->headers[*at].name, name);
    expect_equal_span(record->headers[*at].value, value);
    ++*at;
}

static uint64_t
take_number(struct look *look, const struct ledger_line *line, const struct record *record, uint32_t *at)
{
    uint64_t number = 0;
    if (*at >= record->header_count || !span_equal_text(record->headers[*at].name, "seq"))
        return 0;
    if (!span_to_u64(record->headers[*at].value, &number) || number >= LEDGER_NUMBERS_MAX)
        test_fail("line %" PRIu32 " has a strange number", line->id);
    ++*at;
    look->ledger->numbers[line->sequence][number].stored++;
    return number;
}

static void check_message(struct look *look, const struct ledger_line *line, const struct record *record)
{
    uint32_t at = 0;
    expect_span_is(span_of(look->topic.name, strlen(look->topic.name)), line->topic);
    expect_span_is(record->key, line->key);
    expect_header(record, &at, "place", span_from_text(line->topic));
    expect_header(record, &at, "timestamp", span_from_text(timestamp));
    uint64_t number = take_number(look, line, record, &at);
    expect(number != 0 && (line->number == 0 || line->number == number));
    if (line->given_number != 0)
        expect_equal_u64(number, line->given_number);
    expect_equal_u64(at, record->header_count);
}

static void check_parked(struct look *look, const struct ledger_line *line, const struct record *record)
{
    uint32_t at = 0;
    expect_equal_text(look->topic.name, "unrouted.dlq");
    (void)take_number(look, line, record, &at);
    expect_header(record, &at, "reason",
                  span_from_text(line->kind == LEDGER_TOO_LONG ? "too_long" : "missing_field"));
    expect_equal_u64(at, record->header_count);
}

static void check_value(const struct look *look, const struct ledger_line *line, struct span value)
{
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    expect_fine(put_body(&text, line));
    if (line->kind != LEDGER_MESSAGE)
        replace_separators(&text, 0);
    if (line->kind == LEDGER_TOO_LONG)
        text.len = look->ledger->max_line;
    expect_equal_span(value, buffer_span(&text));
    buffer_done(&text);
}

static void check_record(struct look *look, const struct record *record)
{
    struct ledger_line *line = ledger_find(look->ledger, record->value);
    expect_equal_u64(record->offset, look->next++);
    check_value(look, line, record->value);
    if (line->kind == LEDGER_MESSAGE)
        check_message(look, line, record);
    else
        check_parked(look, line, record);
    if (++line->stored > 1)
        test_fail("line %" PRIu32 " is stored twice", line->id);
    if (line->is_refused)
        test_fail("line %" PRIu32 " was refused, and is stored", line->id);
    uint32_t *last = &look->last[line->connection];
    if (line->id < *last)
        test_fail("line %" PRIu32 " stands behind %" PRIu32 " of the same connection", line->id, *last - 1);
    *last = line->id + 1;
}

static void check_batches(struct look *look, struct span bytes)
{
    while (bytes.len > 0) {
        struct record_batch batch;
        struct record_cursor cursor;
        struct record record;
        size_t bad_at;
        expect(record_batch_decode(bytes, &batch, &bad_at) == DECODE_DONE);
        expect_fine(record_cursor_init(&cursor, &batch));
        while (record_cursor_next(&cursor, &record) == DECODE_DONE)
            check_record(look, &record);
        expect_equal_u64(look->next, batch.base_offset + batch.record_count);
        bytes = span_after(bytes, batch.bytes.len);
    }
}

static void check_partition(struct look *look)
{
    struct store_read read = {.topic = look->topic.id, .partition = look->partition, .buffer = look->buffer};
    look->next = 0;
    read.size = READ_SIZE;
    memset(look->last, 0, look->ledger->connections * sizeof *look->last);
    do {
        read.offset = read.ret_next_offset;
        expect_fine(look->store->ops->read(look->store, &read));
        check_batches(look, span_of(read.buffer, read.ret_len));
    } while (read.ret_next_offset != read.offset);
}

/* The store's own answers agree with its log, for every number there could be. */
static void check_numbers(struct ledger *ledger, struct store *store, uint32_t sequence)
{
    uint64_t highest = 0;
    for (uint64_t number = 1; number < LEDGER_NUMBERS_MAX; number++) {
        const struct ledger_number *known = &ledger->numbers[sequence][number];
        bool has = false;
        if (known->is_promised && known->stored == 0)
            test_fail("number %" PRIu64 " of sequence %" PRIu32 " was promised, and is not stored", number,
                      sequence);
        highest = known->stored > 0 ? number : highest;
        if (!known->is_sent && known->stored == 0)
            continue;
        expect_fine(store->ops->sequence_has(store, sequence, number, &has));
        if (has != (known->stored > 0))
            test_fail("number %" PRIu64 " of sequence %" PRIu32 ": stored %" PRIu32 " times, answered %d",
                      number, sequence, known->stored, has);
    }
    expect_equal_u64(store->ops->sequence_last(store, sequence), highest);
}

/* Of each connection a beginning is stored: nothing is missing before something that is there. */
static void check_lines(struct ledger *ledger)
{
    bool *has_hole = calloc(ledger->connections + 1, sizeof *has_hole);
    check(has_hole != NULL);
    for (uint32_t id = 0; id < ledger->count; id++) {
        const struct ledger_line *line = &ledger->lines[id];
        const struct ledger_number *number = &ledger->numbers[line->sequence][line->number];
        bool is_dropped = line->may_be_dropped && line->stored == 0 && number->stored > 0;
        if (line->is_promised && line->stored == 0)
            test_fail("line %" PRIu32 " was promised, and is not stored", id);
        if (line->may_be_dropped && number->stored > 1)
            test_fail("number %" PRIu64 " is stored %" PRIu32 " times, though duplicates are dropped",
                      line->number, number->stored);
        if (line->stored > 0 && has_hole[line->connection])
            test_fail("line %" PRIu32 " is stored, and one before it on its connection is not", id);
        if (line->stored == 0 && !is_dropped && !line->is_refused && line->kind != LEDGER_TOO_LONG)
            has_hole[line->connection] = true;
    }
    free(has_hole);
}

static void forget_stored(struct ledger *ledger)
{
    for (uint32_t id = 0; id < ledger->count; id++)
        ledger->lines[id].stored = 0;
    for (uint32_t sequence = 0; sequence < LEDGER_SEQUENCES; sequence++)
        for (uint32_t number = 0; number < LEDGER_NUMBERS_MAX; number++)
            ledger->numbers[sequence][number].stored = 0;
}

void ledger_compare(struct ledger *ledger, struct store *store)
{
    struct look look = {.ledger = ledger, .store = store, .buffer = malloc(READ_SIZE)};
    look.last = calloc(ledger->connections + 1, sizeof *look.last);
    check(look.buffer != NULL && look.last != NULL);
    forget_stored(ledger);
    for (uint32_t position = 0; store->ops->topic_next(store, &position, &look.topic);)
        for (look.partition = 0; look.partition < look.topic.partitions; look.partition++)
            check_partition(&look);
    for (uint32_t sequence = 0; sequence < LEDGER_SEQUENCES; sequence++)
        check_numbers(ledger, store, sequence);
    check_lines(ledger);
    free(look.last);
    free(look.buffer);
}
