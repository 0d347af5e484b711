/* Frame by frame through a segment. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/scanner.h"

#include "journal/segment_header.h"

enum { WINDOW_STEP = 1 << 20 };

void scanner_init(struct scanner *scanner, struct fs_file *file, uint64_t epoch, uint64_t end)
{
    *scanner = (struct scanner){.file = file, .epoch_crc = frame_crc_of_epoch(epoch), .end = end};
    buffer_init(&scanner->window, (size_t)end + WINDOW_STEP);
}

void scanner_done(struct scanner *scanner)
{
    buffer_done(&scanner->window);
}

void scanner_seek(struct scanner *scanner, uint64_t position, uint64_t lsn, uint32_t incarnation)
{
    check(position % FRAME_ALIGNMENT == 0);
    scanner->position = position;
    scanner->lsn = lsn;
    scanner->incarnation = incarnation;
}

/* Reads on until the window holds `len` bytes from `at`, or all there are. */
static enum err fill(struct scanner *scanner, uint64_t at, size_t len, struct span *ret_bytes)
{
    struct buffer *window = &scanner->window;
    uint64_t have_end = scanner->window_at + window->len;
    if (at < scanner->window_at || at > have_end) {
        buffer_clear(window);
        scanner->window_at = have_end = at;
    }
    if (have_end < scanner->end && have_end - at < len) {
        buffer_consume(window, (size_t)(at - scanner->window_at));
        scanner->window_at = at;
        uint64_t want = len > window->len + WINDOW_STEP ? len - window->len : WINDOW_STEP;
        if (want > scanner->end - have_end)
            want = scanner->end - have_end;
        enum err err = buffer_reserve(window, (size_t)want);
        if (err != ERR_NONE)
            return err;
        size_t got;
        err = fs_pread(scanner->file, window->data + window->len, (size_t)want, have_end, &got);
        if (err != ERR_NONE)
            return err;
        window->len += got;
    }
    size_t before = (size_t)(at - scanner->window_at);
    *ret_bytes = before == 0 ? buffer_span(window) : span_after(buffer_span(window), before);
    return ERR_NONE;
}

/* Whether a frame can begin with these header bytes, as cheaply as can be. */
static bool is_plausible(const struct scanner *scanner, const struct frame *frame, uint64_t at)
{
    return frame->len >= FRAME_HEADER_SIZE && frame->kind != 0 &&
           frame->incarnation >= scanner->incarnation && frame_padded(frame->len) <= scanner->end - at;
}

/* BAD_INPUT: no good frame stands at `at`. */
static enum err read_frame(struct scanner *scanner, uint64_t set_at, uint64_t at, struct frame *ret_frame)
{
    struct span bytes;
    size_t before = (size_t)(at - set_at);
    enum err err = fill(scanner, set_at, before + FRAME_HEADER_SIZE, &bytes);
    if (err != ERR_NONE)
        return err;
    if (bytes.len < before + FRAME_HEADER_SIZE)
        return ERR_BAD_INPUT;
    struct frame frame = frame_peek(bytes.data + before);
    if (!is_plausible(scanner, &frame, at) || before + frame_padded(frame.len) > scanner->window.size_max)
        return ERR_BAD_INPUT;
    err = fill(scanner, set_at, before + frame_padded(frame.len), &bytes);
    if (err != ERR_NONE)
        return err;
    return frame_read(span_after(bytes, before), scanner->epoch_crc, ret_frame) ? ERR_NONE : ERR_BAD_INPUT;
}

enum scan scanner_next(struct scanner *scanner, struct scan_set *ret_set, enum err *ret_err)
{
    uint64_t at = scanner->position;
    uint64_t lsn = scanner->lsn;
    uint32_t incarnation = scanner->incarnation;
    enum err err = ERR_NONE;
    bool more = true;
    while (more) {
        struct frame frame;
        err = read_frame(scanner, scanner->position, at, &frame);
        if (err != ERR_NONE)
            break;
        if ((lsn != 0 && frame.lsn != lsn) || frame.incarnation < incarnation) {
            err = ERR_BAD_INPUT;
            break;
        }
        lsn = frame.lsn + 1;
        incarnation = frame.incarnation;
        at += frame_padded(frame.len);
        more = (frame.flags & FRAME_MORE) != 0;
    }
    if (err != ERR_NONE && err != ERR_BAD_INPUT) {
        *ret_err = err;
        return SCAN_FAILED;
    }
    size_t before =
        scanner->position > scanner->window_at ? (size_t)(scanner->position - scanner->window_at) : 0;
    const uint8_t *data = scanner->window.data == NULL ? NULL : scanner->window.data + before;
    *ret_set = (struct scan_set){scanner->position, span_of(data, (size_t)(at - scanner->position)), lsn - 1};
    if (err == ERR_BAD_INPUT)
        return SCAN_STOP;
    scanner_seek(scanner, at, lsn, incarnation);
    return SCAN_SET;
}

/* A candidate at `at` that is whole, and newer than what was read last. */
static enum err read_candidate(struct scanner *scanner, uint64_t at, struct frame *ret_frame)
{
    enum err err = read_frame(scanner, at, at, ret_frame);
    if (err == ERR_NONE && ret_frame->lsn < scanner->lsn)
        return ERR_BAD_INPUT;
    return err;
}

static bool looks_like_group(const uint8_t *bytes)
{
    return bytes[8] == FRAME_GROUP && bytes_get_le32(bytes + 4) == FRAME_GROUP_SIZE;
}

enum err scanner_covering(struct scanner *scanner, uint64_t bad, bool *ret_found, uint64_t *ret_synced_end)
{
    *ret_found = false;
    for (uint64_t at = bad; at + FRAME_GROUP_SIZE <= scanner->end; at += FRAME_ALIGNMENT) {
        struct span bytes;
        enum err err = fill(scanner, at, FRAME_GROUP_SIZE, &bytes);
        if (err != ERR_NONE)
            return err;
        if (bytes.len < FRAME_GROUP_SIZE)
            break;
        struct frame frame;
        struct frame_group group;
        if (!looks_like_group(bytes.data) || read_candidate(scanner, at, &frame) != ERR_NONE ||
            !frame_group_read(frame.payload, &group))
            continue;
        if (group.synced_end > bad && group.synced_end <= at) {
            *ret_found = true;
            *ret_synced_end = group.synced_end;
            return ERR_NONE;
        }
    }
    return ERR_NONE;
}

enum err scanner_resync(struct scanner *scanner, uint64_t bad)
{
    for (uint64_t at = bad + FRAME_ALIGNMENT; at + FRAME_HEADER_SIZE <= scanner->end; at += FRAME_ALIGNMENT) {
        struct frame frame;
        enum err err = read_candidate(scanner, at, &frame);
        if (err == ERR_BAD_INPUT)
            continue;
        if (err != ERR_NONE)
            return err;
        scanner_seek(scanner, at, frame.lsn, frame.incarnation);
        return ERR_NONE;
    }
    return ERR_NOT_FOUND;
}

enum err scanner_is_blank(struct scanner *scanner, uint64_t position, bool *ret_blank)
{
    struct span bytes;
    uint64_t page_end = (position | (SEGMENT_PAGE - 1)) + 1;
    if (page_end > scanner->end)
        page_end = scanner->end;
    enum err err = fill(scanner, position, (size_t)(page_end - position), &bytes);
    if (err != ERR_NONE)
        return err;
    *ret_blank = true;
    for (size_t i = 0; i < page_end - position && i < bytes.len; i++)
        if (bytes.data[i] != 0)
            *ret_blank = false;
    return ERR_NONE;
}

bool scan_set_next(struct span *bytes, uint64_t *position, struct frame *ret_frame)
{
    if (bytes->len < FRAME_HEADER_SIZE)
        return false;
    *ret_frame = frame_peek(bytes->data);
    size_t padded = frame_padded(ret_frame->len);
    check(padded <= bytes->len);
    ret_frame->payload = span_of(bytes->data + FRAME_HEADER_SIZE, ret_frame->len - FRAME_HEADER_SIZE);
    *bytes = span_after(*bytes, padded);
    *position += padded;
    return true;
}
