/* The first page of a segment: who it is, which features it needs, whom it follows. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SEGMENT_HEADER_H
#define JOURNAL_SEGMENT_HEADER_H

#include <stdint.h>

#include "base/err.h"
#include "base/why.h"

/* docs/formats/journal.md 1: two copies of 256 bytes in one page. */
enum {
    SEGMENT_PAGE = 4096,
    SEGMENT_HEADER_SIZE = SEGMENT_PAGE,
    SEGMENT_VERSION = 1,
};

/* Incompatible features. */
enum {
    SEGMENT_HAS_OUTCOMES = 1, /* frames OUTCOMES, READER, SEEK and NOTE, runs from 0, places */
};

struct segment_header {
    uint64_t features_compatible;
    uint64_t features_incompatible;
    uint64_t number;
    uint64_t epoch;
    uint64_t first_lsn;
    uint32_t incarnation;
    uint64_t previous_number; /* 0: none */
    uint64_t previous_epoch;
    uint64_t previous_last_lsn;
    uint64_t previous_end;
    int64_t wall_ns;
    uint64_t size;
    uint8_t journal_id[16];
};

void segment_header_write(uint8_t page[SEGMENT_PAGE], const struct segment_header *header);

enum segment_header_state {
    SEGMENT_HEADER_WHOLE,   /* both copies agree */
    SEGMENT_HEADER_DAMAGED, /* readable, but something of the page is bad */
    SEGMENT_HEADER_ABSENT,  /* zeros: never written */
    SEGMENT_HEADER_LOST,    /* neither copy can be read */
};

/* NEWER_FORMAT (with the reason) when a good copy names a version or an incompatible feature that is not known here. */
enum err segment_header_read(const uint8_t page[SEGMENT_PAGE],
                             struct segment_header *ret_header,
                             enum segment_header_state *ret_state,
                             struct why *why) MUST_CHECK;

#endif
