/* Gives any headers to the reader of dead letters; a block that it takes is written again and must read the same. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "deadletter/dead_letter.h"
#include "fuzz/fuzz.h"

/* Lines "name value", of which a record's headers are made. */
static uint32_t take_headers(struct span text, struct record_header *headers)
{
    uint32_t count = 0;
    while (text.len > 0 && count < RECORD_BATCH_HEADERS_MAX) {
        size_t end = span_find(text, '\n');
        struct span line = span_of(text.data, end);
        size_t blank = span_find(line, ' ');
        headers[count++] = (struct record_header){
            .name = span_of(line.data, blank),
            .value = span_after(line, blank < line.len ? blank + 1 : line.len),
        };
        text = span_after(text, end < text.len ? end + 1 : end);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_header headers[RECORD_BATCH_HEADERS_MAX];
    struct record record = {.headers = headers, .header_count = take_headers(span_of(data, size), headers)};
    struct dead_letter letter;
    struct dead_letter again;
    struct dead_letter_record made;
    uint32_t kept;
    uint32_t kept_again;
    if (!dead_letter_read(&record, &letter, &kept)) {
        check(kept == record.header_count);
        return 0;
    }
    check(kept < record.header_count);
    dead_letter_make(&record, kept, &letter, &made);
    check(dead_letter_read(&made.record, &again, &kept_again) && kept_again == kept);
    check(span_equal(letter.topic, again.topic) && span_equal(letter.group, again.group));
    check(letter.partition == again.partition && letter.offset == again.offset);
    check(letter.timestamp_ms == again.timestamp_ms && letter.attempts == again.attempts);
    check(letter.first_ms == again.first_ms && letter.last_ms == again.last_ms);
    check(again.reason.len <= letter.reason.len);
    return 0;
}
