/* The header page to bytes and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment_header.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

enum {
    COPY_SIZE = 256,
    COPY_SECOND = 2048,
    FEATURES_KNOWN = SEGMENT_HAS_OUTCOMES, /* incompatible features that this program reads */
};

static const char magic[8] = {'W', 'A', 'Y', 'B', 'I', 'L', 'L', '\n'};

static uint32_t crc_of(const uint8_t copy[COPY_SIZE])
{
    static const uint8_t zero[4];
    uint32_t crc = hash_crc32c(span_of(copy, 12), 0);
    crc = hash_crc32c(span_of(zero, sizeof zero), crc);
    return hash_crc32c(span_of(copy + 16, COPY_SIZE - 16), crc);
}

static void write_copy(uint8_t *to, const struct segment_header *header)
{
    memcpy(to, magic, sizeof magic);
    bytes_put_le32(to + 8, SEGMENT_VERSION);
    bytes_put_le64(to + 16, header->features_compatible);
    bytes_put_le64(to + 24, header->features_incompatible);
    bytes_put_le64(to + 32, header->number);
    bytes_put_le64(to + 40, header->epoch);
    bytes_put_le64(to + 48, header->first_lsn);
    bytes_put_le32(to + 56, header->incarnation);
    bytes_put_le64(to + 64, header->previous_number);
    bytes_put_le64(to + 72, header->previous_epoch);
    bytes_put_le64(to + 80, header->previous_last_lsn);
    bytes_put_le64(to + 88, header->previous_end);
    bytes_put_le64(to + 96, (uint64_t)header->wall_ns);
    bytes_put_le64(to + 104, header->size);
    memcpy(to + 112, header->journal_id, sizeof header->journal_id);
    bytes_put_le32(to + 12, crc_of(to));
}

void segment_header_write(uint8_t page[SEGMENT_PAGE], const struct segment_header *header)
{
    memset(page, 0, SEGMENT_PAGE);
    write_copy(page, header);
    write_copy(page + COPY_SECOND, header);
}

static bool copy_is_good(const uint8_t *copy)
{
    return memcmp(copy, magic, sizeof magic) == 0 && bytes_get_le32(copy + 12) == crc_of(copy);
}

static void read_copy(const uint8_t *from, struct segment_header *ret_header)
{
    *ret_header = (struct segment_header){
        .features_compatible = bytes_get_le64(from + 16),
        .features_incompatible = bytes_get_le64(from + 24),
        .number = bytes_get_le64(from + 32),
        .epoch = bytes_get_le64(from + 40),
        .first_lsn = bytes_get_le64(from + 48),
        .incarnation = bytes_get_le32(from + 56),
        .previous_number = bytes_get_le64(from + 64),
        .previous_epoch = bytes_get_le64(from + 72),
        .previous_last_lsn = bytes_get_le64(from + 80),
        .previous_end = bytes_get_le64(from + 88),
        .wall_ns = (int64_t)bytes_get_le64(from + 96),
        .size = bytes_get_le64(from + 104),
    };
    memcpy(ret_header->journal_id, from + 112, sizeof ret_header->journal_id);
}

static bool page_is_zero(const uint8_t page[SEGMENT_PAGE])
{
    return page[0] == 0 && memcmp(page, page + 1, SEGMENT_PAGE - 1) == 0;
}

enum err segment_header_read(const uint8_t page[SEGMENT_PAGE],
                             struct segment_header *ret_header,
                             enum segment_header_state *ret_state,
                             struct why *why)
{
    bool first = copy_is_good(page);
    bool second = copy_is_good(page + COPY_SECOND);
    if (!first && !second) {
        *ret_state = page_is_zero(page) ? SEGMENT_HEADER_ABSENT : SEGMENT_HEADER_LOST;
        return ERR_NONE;
    }
    const uint8_t *copy = first ? page : page + COPY_SECOND;
    uint32_t version = bytes_get_le32(copy + 8);
    if (version != SEGMENT_VERSION)
        return why_set(
            why, ERR_NEWER_FORMAT,
            "the journal has format version %u, this program reads version %d: use the newer waybill",
            version, SEGMENT_VERSION);
    struct segment_header header;
    read_copy(copy, &header);
    uint64_t unknown = header.features_incompatible & ~(uint64_t)FEATURES_KNOWN;
    if (unknown != 0)
        return why_set(
            why, ERR_NEWER_FORMAT,
            "the journal needs feature bits 0x%llx, which this program does not know: use the newer waybill",
            (unsigned long long)unknown);
    uint8_t expected[SEGMENT_PAGE];
    segment_header_write(expected, &header);
    *ret_state = memcmp(page, expected, SEGMENT_PAGE) == 0 ? SEGMENT_HEADER_WHOLE : SEGMENT_HEADER_DAMAGED;
    *ret_header = header;
    return ERR_NONE;
}
