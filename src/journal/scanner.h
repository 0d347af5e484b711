/* Walks the frames of one segment, set by set, and finds its way again behind bad bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SCANNER_H
#define JOURNAL_SCANNER_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/fs.h"
#include "journal/frame.h"

/*
 * 1. scanner_next reads one atomic set (a GROUP frame is a set of one) and verifies each frame.
 * 2. It stops at the first bad frame: the end, a torn tail, or damage. scanner_covering tells which, by a later group that
 *    says that these bytes were synced.
 * 3. Behind damage scanner_resync finds the next good frame.
 */
struct scanner {
    struct fs_file *file;
    uint32_t epoch_crc;
    uint64_t position;    /* where the next set begins */
    uint64_t end;         /* nothing is read from here on */
    uint64_t lsn;         /* expected of the next frame; 0: any */
    uint32_t incarnation; /* of the last frame */
    struct buffer window; /* bytes of the file from window_at on */
    uint64_t window_at;
};

struct scan_set {
    uint64_t position;
    struct span bytes; /* the verified frames, back to back; valid until the next call */
    uint64_t last_lsn;
};

enum scan { SCAN_SET, SCAN_STOP, SCAN_FAILED };

/* Takes memory as the sets need it: none is longer than what lies before `end`, whatever the limits are by now. */
void scanner_init(struct scanner *scanner, struct fs_file *file, uint64_t epoch, uint64_t end);
void scanner_done(struct scanner *scanner);
void scanner_seek(struct scanner *scanner, uint64_t position, uint64_t lsn, uint32_t incarnation);

/* STOP: *ret_set holds the good frames of an unfinished set (maybe none) from scanner->position on; the position does not move. FAILED: *ret_err. */
enum scan scanner_next(struct scanner *scanner, struct scan_set *ret_set, enum err *ret_err);

/* After STOP with the bad byte range beginning at `bad`: looks for a group that says that more than `bad` was synced. */
enum err
scanner_covering(struct scanner *scanner, uint64_t bad, bool *ret_found, uint64_t *ret_synced_end) MUST_CHECK;

/* The next good frame behind `bad` with an LSN above lsn-1; the scanner stands there. NOT_FOUND when there is none. */
enum err scanner_resync(struct scanner *scanner, uint64_t bad) MUST_CHECK;

/* Whether the bytes at `position` up to the end of its page are zeros (or the segment's end). */
enum err scanner_is_blank(struct scanner *scanner, uint64_t position, bool *ret_blank) MUST_CHECK;

/* Walks the frames of a set: false at its end. */
bool scan_set_next(struct span *bytes, uint64_t *position, struct frame *ret_frame);

#endif
