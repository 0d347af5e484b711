/* Writes and reads the block: a table of its members, in the order of the page. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/dead_letter.h"

#include <stddef.h>

#include "base/check.h"
#include "wire/line_number.h"

#define MARK    "waybill.dead-letter"
#define VERSION "1"

enum kind { KIND_TEXT, KIND_U16, KIND_U32, KIND_U64, KIND_I64 };

struct member {
    const char *name;
    enum kind kind;
    size_t offset;
    size_t size_max; /* of a text; 0: no bound */
};

#define MEMBER(name, kind, field)                                                                            \
    {                                                                                                        \
        name, kind, offsetof(struct dead_letter, field), 0                                                   \
    }
#define TEXT(name, field, size)                                                                              \
    {                                                                                                        \
        name, KIND_TEXT, offsetof(struct dead_letter, field), size                                           \
    }

static const struct member members[] = {
    TEXT("waybill.topic", topic, 0),
    MEMBER("waybill.partition", KIND_U32, partition),
    MEMBER("waybill.offset", KIND_U64, offset),
    MEMBER("waybill.timestamp", KIND_I64, timestamp_ms),
    TEXT("waybill.group", group, 0),
    TEXT("waybill.by", by, 0),
    TEXT("waybill.reason", reason, DEAD_LETTER_REASON_MAX),
    MEMBER("waybill.attempts", KIND_U16, attempts),
    MEMBER("waybill.first", KIND_I64, first_ms),
    MEMBER("waybill.last", KIND_I64, last_ms),
    TEXT("waybill.stacktrace", stacktrace, DEAD_LETTER_STACKTRACE_MAX),
    TEXT("waybill.correlation-id", correlation_id, DEAD_LETTER_REASON_MAX),
    TEXT("waybill.traceability-id", traceability_id, DEAD_LETTER_REASON_MAX),
};

enum {
    MEMBERS = sizeof(members) / sizeof(members[0]),
    NEEDED = 1U << 0 | 1U << 1 | 1U << 2 | 1U << 4, /* topic, partition, offset, group */
};

_Static_assert((int)MEMBERS < (int)DEAD_LETTER_HEADERS_MAX, "a block fits behind the headers of any record");

static void *field_of(struct dead_letter *letter, const struct member *member)
{
    return (uint8_t *)letter + member->offset;
}

static const void *field_in(const struct dead_letter *letter, const struct member *member)
{
    return (const uint8_t *)letter + member->offset;
}

/* --- Reading ------------------------------------------------------------------------------------ */

static bool take_signed(struct span text, int64_t *ret_value)
{
    bool is_negative = text.len > 1 && text.data[0] == '-';
    uint64_t distance;
    if (!span_to_u64(is_negative ? span_after(text, 1) : text, &distance) || distance > INT64_MAX)
        return false;
    *ret_value = is_negative ? -(int64_t)distance : (int64_t)distance;
    return true;
}

static bool take_number(const struct member *member, struct span text, void *field)
{
    uint64_t number = 0;
    if (member->kind == KIND_I64)
        return take_signed(text, field);
    if (!span_to_u64(text, &number))
        return false;
    if (member->kind == KIND_U64) {
        *(uint64_t *)field = number;
        return number <= INT64_MAX;
    }
    if (member->kind == KIND_U32) {
        *(uint32_t *)field = (uint32_t)number;
        return number <= INT32_MAX;
    }
    *(uint16_t *)field = (uint16_t)number;
    return number <= UINT16_MAX;
}

/* False: the value is none for this member. */
static bool take_member(struct dead_letter *letter, const struct record_header *header, unsigned *seen)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        if (!span_equal_text(header->name, members[i].name))
            continue;
        *seen |= 1U << i;
        if (members[i].kind != KIND_TEXT)
            return take_number(&members[i], header->value, field_of(letter, &members[i]));
        *(struct span *)field_of(letter, &members[i]) = header->value;
        return true;
    }
    return true;
}

/* Where the block begins: at the last mark; header_count when there is none. */
static uint32_t find_mark(const struct record *record)
{
    for (uint32_t i = record->header_count; i > 0; i--)
        if (span_equal_text(record->headers[i - 1].name, MARK))
            return i - 1;
    return record->header_count;
}

bool dead_letter_read(const struct record *record, struct dead_letter *ret_letter, uint32_t *ret_headers)
{
    struct dead_letter letter = {0};
    uint32_t mark = find_mark(record);
    unsigned seen = 0;
    *ret_headers = record->header_count;
    if (mark == record->header_count || mark > RECORD_HEADERS_MAX ||
        !span_equal_text(record->headers[mark].value, VERSION))
        return false;
    for (uint32_t i = mark + 1; i < record->header_count; i++)
        if (!take_member(&letter, &record->headers[i], &seen))
            return false;
    if ((seen & NEEDED) != NEEDED || letter.topic.len == 0 || letter.group.len == 0)
        return false;
    *ret_letter = letter;
    *ret_headers = mark;
    return true;
}

struct span dead_letter_header(const struct record *record, uint32_t headers, const char *name)
{
    for (uint32_t i = 0; i < headers; i++)
        if (span_equal_text(record->headers[i].name, name))
            return record->headers[i].value;
    return span_of(NULL, 0);
}

bool dead_letter_topic_is(struct span name)
{
    const size_t suffix = 4;
    return name.len > suffix && span_equal_text(span_after(name, name.len - suffix), ".dlq");
}

/* --- Writing ------------------------------------------------------------------------------------ */

static struct span
put_number(struct dead_letter_numbers *numbers, const struct member *member, const void *field)
{
    uint8_t *text = numbers->text[numbers->count++];
    uint8_t *to = text;
    uint64_t value = member->kind == KIND_U16   ? *(const uint16_t *)field
                     : member->kind == KIND_U32 ? *(const uint32_t *)field
                                                : *(const uint64_t *)field;
    if (member->kind == KIND_I64 && (int64_t)value < 0) {
        *to++ = '-';
        value = -value;
    }
    to = line_number_put(to, value);
    return span_of(text, (size_t)(to - text));
}

static void add_header(struct dead_letter_record *letter, const char *name, struct span value)
{
    check(letter->record.header_count < RECORD_BATCH_HEADERS_MAX);
    letter->headers[letter->record.header_count++] =
        (struct record_header){.name = span_from_text(name), .value = value};
}

static void
add_member(struct dead_letter_record *to, const struct dead_letter *letter, const struct member *member)
{
    const void *field = field_in(letter, member);
    if (member->kind != KIND_TEXT) {
        add_header(to, member->name, put_number(&to->numbers, member, field));
        return;
    }
    struct span text = *(const struct span *)field;
    if (text.len == 0)
        return;
    if (member->size_max > 0 && text.len > member->size_max)
        text.len = member->size_max;
    add_header(to, member->name, text);
}

void dead_letter_make(const struct record *original,
                      uint32_t headers,
                      const struct dead_letter *letter,
                      struct dead_letter_record *ret_record)
{
    check(headers <= RECORD_HEADERS_MAX && headers <= original->header_count);
    check(letter->topic.len > 0 && letter->group.len > 0);
    ret_record->record = *original;
    ret_record->record.headers = ret_record->headers;
    ret_record->record.header_count = headers;
    ret_record->numbers.count = 0;
    if (headers > 0)
        memcpy(ret_record->headers, original->headers, headers * sizeof *original->headers);
    add_header(ret_record, MARK, span_from_text(VERSION));
    for (unsigned i = 0; i < MEMBERS; i++)
        add_member(ret_record, letter, &members[i]);
}
