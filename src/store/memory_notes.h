/* The notes of the store in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MEMORY_NOTES_H
#define STORE_MEMORY_NOTES_H

#include "store/settled.h"

struct memory_note {
    uint8_t *bytes; /* the key, then the value */
    size_t key_len;
    size_t value_len;
};

struct memory_notes {
    struct memory_note *notes; /* in the order of their keys' bytes */
    uint32_t count;
    uint32_t size;
};

void memory_notes_done(struct memory_notes *notes);

void memory_notes_set(struct memory_notes *notes, const struct store_note *note);
/* The first whose key is `key` or behind it, as spans that live until the next change; NULL at the end. */
const struct memory_note *memory_notes_from(const struct memory_notes *notes, struct span key);

static inline struct span memory_note_key(const struct memory_note *note)
{
    return span_of(note->bytes, note->key_len);
}

static inline struct span memory_note_value(const struct memory_note *note)
{
    return span_of(note->bytes + note->key_len, note->value_len);
}

#endif
