/* READER, PROGRESS and NOTE entries to bytes and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/group_checkpoint.h"

#include "base/bytes.h"
#include "journal/outcome_frame.h"

enum {
    READER_FIXED = 16,
    READER_HAS_DONE = 1,
    PROGRESS_FIXED = 40,
    STRETCH_SIZE = 16,
    PIECE_FIXED = 16,
    PIECE_BITS = 1, /* a form: bits follow */
    BITS_SIZE = PROGRESS_CHUNK / 8,
};

_Static_assert((int)CHECKPOINT_ENTRY_HEADER + (int)READER_FIXED + (int)STORE_GROUP_NAME_MAX <=
                   (int)GROUP_BOOK_GROUP_COST,
               "an entry takes what the book counts");
_Static_assert((int)CHECKPOINT_ENTRY_HEADER + (int)PROGRESS_FIXED +
                       (int)PROGRESS_STRETCHES_MAX * (int)STRETCH_SIZE <=
                   (int)PROGRESS_FIXED_COST,
               "likewise");

/* --- Writing ------------------------------------------------------------------------------------- */

static bool put_reader(struct buffer *buffer, const struct store_group *group)
{
    size_t len = strlen(group->name);
    uint8_t *body = checkpoint_put_entry(buffer, CHECKPOINT_READER, READER_FIXED + len);
    if (body == NULL)
        return false;
    bytes_put_le32(body, group->id);
    bytes_put_le32(body + 4, group->has_done ? READER_HAS_DONE : 0);
    bytes_put_le64(body + 8, (uint64_t)group->active_ns);
    memcpy(body + READER_FIXED, group->name, len);
    return true;
}

static uint8_t *put_piece(uint8_t *at, const struct progress_piece *piece)
{
    bytes_put_le64(at, piece->offset);
    bytes_put_le32(at + 8, piece->count);
    bytes_put_le32(at + 12, piece->bits == NULL ? 0 : PIECE_BITS);
    at += PIECE_FIXED;
    for (uint32_t i = 0; piece->bits != NULL && i < PROGRESS_CHUNK_WORDS; i++, at += 8)
        bytes_put_le64(at, piece->bits->bits[i]);
    return at;
}

static bool put_progress(struct buffer *buffer, uint32_t group, const struct group_progress *progress)
{
    struct progress_piece piece;
    uint32_t place = 0;
    uint32_t pieces = 0;
    size_t len = PROGRESS_FIXED + (size_t)progress->stretch_count * STRETCH_SIZE;
    for (; group_progress_next_piece(progress, &place, &piece); pieces++)
        len += PIECE_FIXED + (piece.bits == NULL ? 0 : (size_t)BITS_SIZE);
    uint8_t *body = checkpoint_put_entry(buffer, CHECKPOINT_PROGRESS, len);
    if (body == NULL)
        return false;
    bytes_put_le32(body, group);
    bytes_put_le32(body + 4, progress->topic);
    bytes_put_le32(body + 8, progress->partition);
    bytes_put_le64(body + 16, progress->low);
    bytes_put_le64(body + 24, (uint64_t)progress->active_ns);
    bytes_put_le32(body + 32, progress->stretch_count);
    bytes_put_le32(body + 36, pieces);
    body += PROGRESS_FIXED;
    for (uint32_t i = 0; i < progress->stretch_count; i++, body += STRETCH_SIZE) {
        bytes_put_le64(body, progress->stretches[i].from);
        bytes_put_le64(body + 8, progress->stretches[i].to);
    }
    place = 0;
    while (group_progress_next_piece(progress, &place, &piece))
        body = put_piece(body, &piece);
    return true;
}

static bool put_note(struct buffer *buffer, const struct note *note)
{
    struct store_note whole = {.key = note_key(note), .value = note_value(note)};
    uint8_t *body = checkpoint_put_entry(buffer, CHECKPOINT_NOTE, frame_note_len(&whole));
    if (body != NULL)
        frame_note_write(body, &whole);
    return body != NULL;
}

bool group_checkpoint_write(struct buffer *buffer, const struct catalog *catalog)
{
    bool fine = true;
    for (uint32_t i = 0; fine && i < catalog->groups.count; i++) {
        const struct journal_group *group = catalog->groups.groups[i];
        fine = put_reader(buffer, &group->public);
        for (uint32_t k = 0; fine && k < group->count; k++)
            if (group->progresses[k]->has_begun)
                fine = put_progress(buffer, group->public.id, group->progresses[k]);
    }
    for (uint32_t i = 0; fine && i < catalog->notes.count; i++)
        fine = put_note(buffer, catalog->notes.notes[i]);
    return fine;
}

/* --- Reading --------------------------------------------------------------------------------------- */

enum err group_checkpoint_read_reader(struct span body, struct catalog *catalog)
{
    struct journal_group *group;
    if (body.len <= READER_FIXED)
        return ERR_DAMAGED;
    enum err err = group_book_add(&catalog->groups, bytes_get_le32(body.data), span_after(body, READER_FIXED),
                                  (int64_t)bytes_get_le64(body.data + 8), &group);
    if (err == ERR_NONE)
        group->public.has_done = (bytes_get_le32(body.data + 4) & READER_HAS_DONE) != 0;
    return err;
}

static enum err read_stretches(struct group_progress *progress, struct span *rest, uint32_t count)
{
    enum err err = rest->len / STRETCH_SIZE < count ? ERR_DAMAGED : ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < count; i++) {
        struct progress_range range = {bytes_get_le64(rest->data), bytes_get_le64(rest->data + 8)};
        *rest = span_after(*rest, STRETCH_SIZE);
        err = range.from < range.to ? group_progress_add_stretch(progress, range) : ERR_DAMAGED;
    }
    return err;
}

static enum err
read_bits(struct group_book *book, struct group_progress *progress, uint64_t offset, const uint8_t *bits)
{
    enum err err = ERR_NONE;
    for (uint32_t i = 0; err == ERR_NONE && i < PROGRESS_CHUNK_WORDS; i++) {
        uint64_t word = bytes_get_le64(bits + (size_t)i * 8);
        for (uint64_t at = offset + (uint64_t)i * 64; err == ERR_NONE && word != 0;) {
            uint32_t zeros = (uint32_t)__builtin_ctzll(word);
            word >>= zeros;
            uint32_t ones = word == UINT64_MAX ? 64 : (uint32_t)__builtin_ctzll(~word);
            word = ones == 64 ? 0 : word >> ones;
            at += zeros;
            err = group_book_settle(book, progress, (struct progress_range){at, at + ones});
            at += ones;
        }
    }
    return err;
}

static enum err read_piece(struct group_book *book, struct group_progress *progress, struct span *rest)
{
    if (rest->len < PIECE_FIXED)
        return ERR_DAMAGED;
    uint64_t offset = bytes_get_le64(rest->data);
    uint32_t count = bytes_get_le32(rest->data + 8);
    bool has_bits = bytes_get_le32(rest->data + 12) == PIECE_BITS;
    *rest = span_after(*rest, PIECE_FIXED);
    if (count == 0 || offset > (uint64_t)INT64_MAX)
        return ERR_DAMAGED;
    if (!has_bits)
        return group_book_settle(book, progress, (struct progress_range){offset, offset + count});
    if (count != PROGRESS_CHUNK || rest->len < BITS_SIZE)
        return ERR_DAMAGED;
    const uint8_t *bits = rest->data;
    *rest = span_after(*rest, BITS_SIZE);
    return read_bits(book, progress, offset, bits);
}

enum err group_checkpoint_read_progress(struct span body, struct catalog *catalog)
{
    if (body.len < PROGRESS_FIXED)
        return ERR_DAMAGED;
    struct journal_group *group = group_book_by_id(&catalog->groups, bytes_get_le32(body.data));
    const struct partition *partition =
        catalog_partition(catalog, bytes_get_le32(body.data + 4), bytes_get_le32(body.data + 8));
    uint64_t low = bytes_get_le64(body.data + 16);
    if (group == NULL || partition == NULL || low > (uint64_t)INT64_MAX ||
        group_book_progress(group, partition->slot) != NULL)
        return ERR_DAMAGED;
    struct group_progress *progress;
    struct group_place place = {partition->topic, partition->partition, partition->slot, low};
    enum err err = group_book_make_progress(&catalog->groups, group, &place, false, &progress);
    if (err != ERR_NONE)
        return err;
    progress->has_begun = true;
    progress->active_ns = (int64_t)bytes_get_le64(body.data + 24);
    struct span rest = span_after(body, PROGRESS_FIXED);
    err = read_stretches(progress, &rest, bytes_get_le32(body.data + 32));
    for (uint32_t i = bytes_get_le32(body.data + 36); err == ERR_NONE && i > 0; i--)
        err = read_piece(&catalog->groups, progress, &rest);
    return err == ERR_NONE && rest.len > 0 ? ERR_DAMAGED : err;
}

enum err group_checkpoint_read_note(struct span body, struct catalog *catalog)
{
    struct store_note note;
    if (!frame_note_read(body, &note) || note.value.data == NULL)
        return ERR_DAMAGED;
    return note_book_load(&catalog->notes, &note);
}
