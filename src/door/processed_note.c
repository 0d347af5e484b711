/* The note that says where the reading of a processed log goes on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/processed_note.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"

const char *processed_note_key(char key[static PROCESSED_NOTE_KEY_SIZE],
                               const char *path,
                               struct span group,
                               struct span sequence)
{
    uint32_t names = hash_crc32c(group, 0);
    names = hash_crc32c(span_of("", 1), names); /* a NUL between them */
    names = hash_crc32c(sequence, names);
    (void)snprintf(key, PROCESSED_NOTE_KEY_SIZE, "processed_log/%08" PRIx32 "%08" PRIx32,
                   hash_crc32c(span_from_text(path), 0), names);
    return key;
}

struct span processed_note_write(char text[static PROCESSED_NOTE_SIZE],
                                 const struct log_tail_position *position,
                                 const char *path)
{
    int len = snprintf(text, PROCESSED_NOTE_SIZE, "1 %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %s",
                       position->inode, position->offset, position->head_len, position->head_crc, path);
    check(len > 0 && len < PROCESSED_NOTE_SIZE);
    return span_of(text, (size_t)len);
}

static bool take_number(struct span *rest, uint64_t *ret_number)
{
    return span_to_u64(span_take_word(rest), ret_number);
}

bool processed_note_read(struct span note, const char *path, struct log_tail_position *ret_position)
{
    struct log_tail_position position;
    uint64_t version;
    uint64_t head_len;
    uint64_t head_crc;
    if (!take_number(&note, &version) || version != 1 || !take_number(&note, &position.inode) ||
        !take_number(&note, &position.offset) || !take_number(&note, &head_len) ||
        !take_number(&note, &head_crc) || note.len == 0 || head_len > LOG_TAIL_HEAD_SIZE ||
        head_len > position.offset || !span_equal_text(span_after(note, 1), path))
        return false;
    position.head_len = (uint32_t)head_len;
    position.head_crc = (uint32_t)head_crc;
    *ret_position = position;
    return true;
}
