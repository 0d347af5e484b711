/* One segment read from front to end, and the judgement of where and how it ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SEGMENT_SCAN_H
#define JOURNAL_SEGMENT_SCAN_H

#include "journal/scanner.h"
#include "journal/segment_header.h"

/* A range of bytes that were synced and are bad. */
struct segment_damage {
    uint64_t segment;
    uint64_t from;
    uint64_t to;
    uint64_t first_lsn; /* missing: first_lsn .. last_lsn */
    uint64_t last_lsn;
};

struct segment_scan {
    struct fs_file *file;
    const struct segment_header *header;
    uint64_t known_end; /* of a sealed segment; 0: the end is to be found */
    size_t set_size_max;
    enum err (*on_set)(void *owner, const struct scan_set *set);
    void (*on_damage)(void *owner, const struct segment_damage *damage);
    void *owner;
    /* Found: */
    uint64_t end;         /* behind the last good set */
    uint64_t lsn;         /* of the next frame */
    uint32_t incarnation; /* of the last frame */
    uint64_t torn_to;     /* > end: bytes up to here are a torn tail */
};

/* docs/formats/journal.md 4. Errors of the file, or of on_set. */
enum err segment_scan_run(struct segment_scan *scan) MUST_CHECK;

#endif
