/* Small named values that rooms above the store keep in the log. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_NOTE_BOOK_H
#define JOURNAL_NOTE_BOOK_H

#include "base/err.h"
#include "store/settled.h"

enum {
    NOTE_BOOK_COUNT_MAX = 8192,
    NOTE_BOOK_FIXED_COST = 16, /* of a checkpoint, beside key and value */
};

struct note {
    uint32_t key_len;
    uint32_t value_len;
    uint8_t bytes[]; /* key, value */
};

/* By key. Guarded by the journal's view lock. */
struct note_book {
    struct note **notes;
    uint32_t count;
    uint32_t size;
    size_t bytes; /* of a checkpoint */
    size_t bytes_max;
    size_t pending; /* of notes on their way */
    uint32_t pending_count;
};

void note_book_init(struct note_book *book, size_t bytes_max);
void note_book_done(struct note_book *book);

size_t note_cost(struct span key, struct span value);
bool note_is_legal(const struct store_note *note);
/* A copy of the key and the value; NULL without memory. */
struct note *note_new(const struct store_note *note);

/* Makes room for a note on its way, so that putting it cannot fail, until note_book_release. TOO_MANY, MEMORY. */
enum err note_book_reserve(struct note_book *book, const struct store_note *note) MUST_CHECK;
void note_book_release(struct note_book *book, const struct store_note *note);
/* In place of the one that has this key, if any. There must be room. */
void note_book_put(struct note_book *book, struct note *take_note);
/* The same for one that the log holds already, which always has room. MEMORY. */
enum err note_book_load(struct note_book *book, const struct store_note *note) MUST_CHECK;
void note_book_remove(struct note_book *book, struct span key);

/* NULL when there is none. */
const struct note *note_book_get(const struct note_book *book, struct span key);
/* The first one behind `after`, in the order of bytes, that begins with `prefix`; NULL at the end. */
const struct note *note_book_next(const struct note_book *book, struct span prefix, struct span after);

static inline struct span note_key(const struct note *note)
{
    return span_of(note->bytes, note->key_len);
}

static inline struct span note_value(const struct note *note)
{
    return span_of(note->bytes + note->key_len, note->value_len);
}

#endif
