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

/*
 * Whether a segment with a readable header has begun: its header, checkpoint and first group went out in one write, so when
 * a power cut tore that, nothing in the segment was ever acknowledged, and the file still waits to begin. Damage to a
 * segment that did begin is told from it by a later group.
 */
enum err segment_scan_has_begun(struct fs_file *file,
                                const struct segment_header *header,
                                enum segment_header_state state,
                                bool *ret_begun) MUST_CHECK;

#endif
