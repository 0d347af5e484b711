/* Plain end, torn tail or damage. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment_scan.h"

/*
 * Happy path: sets follow one another up to the end. A stop at P is
 *   damage      when the end is known to lie beyond P, or a later group says that bytes beyond P were synced: the good
 *               frames of the broken set count, the bad range is reported, the scan goes on behind it;
 *   torn tail   when something was written at P that is no whole set: the log ends at P;
 *   plain end   otherwise.
 */

enum { HEADER_FIELDS_TO_MATCH = 3 };

static unsigned bytes_that_differ(uint64_t a, uint64_t b)
{
    unsigned count = 0;
    for (uint64_t difference = a ^ b; difference != 0; difference >>= 8)
        count += (difference & 0xff) != 0 ? 1 : 0;
    return count;
}

/*
 * At a page boundary no zeros stand behind the end, but the bytes of an earlier life: they are told from the first frame of a
 * torn group by what its header must say. One bad byte in it still leaves enough of it to be recognised.
 */
static bool looks_like_our_group(const struct scanner *scanner, const uint8_t *bytes)
{
    struct frame frame = frame_peek(bytes);
    int matches = (frame.kind == FRAME_GROUP) + (frame.len == FRAME_GROUP_SIZE) +
                  (frame.incarnation == scanner->incarnation) + 1;
    return bytes_that_differ(frame.lsn, scanner->lsn) <= 1 && matches >= HEADER_FIELDS_TO_MATCH;
}

static enum err find_torn_end(struct segment_scan *scan, struct scanner *scanner, const struct scan_set *set)
{
    uint64_t bad = set->position + set->bytes.len;
    uint8_t bytes[FRAME_HEADER_SIZE] = {0};
    size_t got;
    bool is_blank;
    scan->torn_to = set->bytes.len > 0 ? bad : set->position;
    if (bad >= scanner->end)
        return ERR_NONE;
    enum err err = scanner_is_blank(scanner, bad, &is_blank);
    if (err == ERR_NONE)
        err = fs_pread(scan->file, bytes, sizeof bytes, bad, &got);
    if (err != ERR_NONE || is_blank)
        return err;
    bool is_boundary = bad % SEGMENT_PAGE == 0 && set->bytes.len == 0;
    if (!is_boundary || looks_like_our_group(scanner, bytes))
        scan->torn_to = (bad | (SEGMENT_PAGE - 1)) + 1;
    return ERR_NONE;
}

static void
report(const struct segment_scan *scan, uint64_t from, uint64_t to, uint64_t first_lsn, uint64_t next_lsn)
{
    struct segment_damage damage = {scan->header->number, from, to, first_lsn, next_lsn - 1};
    scan->on_damage(scan->owner, &damage);
}

/* The good frames of the broken set count; the scanner then stands behind the bad ones. */
static enum err pass_damage(struct segment_scan *scan, struct scanner *scanner)
{
    struct scan_set set; /* read again: the search for a covering group has moved the window */
    enum err err = ERR_NONE;
    check(scanner_next(scanner, &set, &err) != SCAN_SET);
    if (err != ERR_NONE)
        return err;
    uint64_t bad = set.position + set.bytes.len;
    uint64_t first_lsn = set.bytes.len > 0 ? set.last_lsn + 1 : scanner->lsn;
    err = set.bytes.len > 0 ? scan->on_set(scan->owner, &set) : ERR_NONE;
    if (err != ERR_NONE)
        return err;
    err = scanner_resync(scanner, bad);
    if (err == ERR_NOT_FOUND) {
        uint64_t end = scan->known_end > bad ? scan->known_end : bad + FRAME_ALIGNMENT;
        report(scan, bad, end, first_lsn, first_lsn + 1);
        scanner_seek(scanner, end, first_lsn, scanner->incarnation);
        return ERR_NONE;
    }
    if (err == ERR_NONE)
        report(scan, bad, scanner->position, first_lsn, scanner->lsn);
    return err;
}

/* *ret_goes_on: false at the end. */
static enum err
judge_stop(struct segment_scan *scan, struct scanner *scanner, const struct scan_set *set, bool *ret_goes_on)
{
    uint64_t bad = set->position + set->bytes.len;
    bool is_damage = scan->known_end > bad;
    uint64_t synced_end;
    *ret_goes_on = false;
    if (scan->known_end != 0 && set->position >= scan->known_end)
        return ERR_NONE;
    enum err err = is_damage ? ERR_NONE : scanner_covering(scanner, bad, &is_damage, &synced_end);
    if (err != ERR_NONE)
        return err;
    *ret_goes_on = is_damage;
    return is_damage ? pass_damage(scan, scanner) : find_torn_end(scan, scanner, set);
}

enum err segment_scan_run(struct segment_scan *scan)
{
    struct scanner scanner;
    uint64_t limit = scan->known_end != 0 ? scan->known_end : scan->header->size;
    scanner_init(&scanner, scan->file, scan->header->epoch, limit);
    scanner_seek(&scanner, SEGMENT_HEADER_SIZE, scan->header->first_lsn, scan->header->incarnation);
    enum err err = ERR_NONE;
    bool goes_on = true;
    scan->torn_to = 0;
    while (err == ERR_NONE && goes_on) {
        struct scan_set set;
        enum scan outcome = scanner_next(&scanner, &set, &err);
        if (outcome == SCAN_SET)
            err = scan->on_set(scan->owner, &set);
        else if (outcome == SCAN_STOP)
            err = judge_stop(scan, &scanner, &set, &goes_on);
    }
    scan->end = scanner.position;
    scan->lsn = scanner.lsn;
    scan->incarnation = scanner.incarnation;
    scanner_done(&scanner);
    return err;
}

/* The GROUP frame and the checkpoint behind it, whole. */
static enum err reads_beginning(struct scanner *scanner, bool *ret_whole)
{
    static const uint8_t kinds[] = {FRAME_GROUP, FRAME_CHECKPOINT};
    enum err err = ERR_NONE;
    *ret_whole = true;
    for (size_t i = 0; *ret_whole && i < sizeof kinds; i++) {
        struct scan_set set;
        enum scan outcome = scanner_next(scanner, &set, &err);
        if (outcome == SCAN_FAILED)
            return err;
        *ret_whole = outcome == SCAN_SET && frame_peek(set.bytes.data).kind == kinds[i];
    }
    return ERR_NONE;
}

enum err segment_scan_has_begun(struct fs_file *file,
                                const struct segment_header *header,
                                enum segment_header_state state,
                                bool *ret_begun)
{
    struct scanner scanner;
    uint64_t synced_end;
    scanner_init(&scanner, file, header->epoch, header->size);
    scanner_seek(&scanner, SEGMENT_HEADER_SIZE, header->first_lsn, header->incarnation);
    *ret_begun = false;
    enum err err = state == SEGMENT_HEADER_WHOLE ? reads_beginning(&scanner, ret_begun) : ERR_NONE;
    if (err == ERR_NONE && !*ret_begun) {
        scanner_seek(&scanner, SEGMENT_HEADER_SIZE, header->first_lsn, header->incarnation);
        err = scanner_covering(&scanner, SEGMENT_HEADER_SIZE, ret_begun, &synced_end);
    }
    scanner_done(&scanner);
    return err;
}
