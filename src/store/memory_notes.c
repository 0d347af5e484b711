/* The notes of the store in memory: a sorted array. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory_notes.h"

#include <stdlib.h>

#include "base/check.h"

void memory_notes_done(struct memory_notes *notes)
{
    for (uint32_t i = 0; i < notes->count; i++)
        free(notes->notes[i].bytes);
    free(notes->notes);
    *notes = (struct memory_notes){.count = 0};
}

static int compare(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    if (order != 0 || a.len == b.len)
        return order;
    return a.len < b.len ? -1 : 1;
}

static uint32_t first_from(const struct memory_notes *notes, struct span key)
{
    uint32_t at = 0;
    while (at < notes->count && compare(memory_note_key(&notes->notes[at]), key) < 0)
        at++;
    return at;
}

const struct memory_note *memory_notes_from(const struct memory_notes *notes, struct span key)
{
    uint32_t at = first_from(notes, key);
    return at < notes->count ? &notes->notes[at] : NULL;
}

static void remove_at(struct memory_notes *notes, uint32_t at)
{
    free(notes->notes[at].bytes);
    notes->count--;
    memmove(&notes->notes[at], &notes->notes[at + 1], (notes->count - at) * sizeof(*notes->notes));
}

static void insert_at(struct memory_notes *notes, uint32_t at, const struct store_note *note)
{
    if (notes->count == notes->size) {
        notes->size = notes->size == 0 ? 16 : notes->size * 2;
        notes->notes = realloc(notes->notes, notes->size * sizeof(*notes->notes));
        check(notes->notes != NULL);
    }
    memmove(&notes->notes[at + 1], &notes->notes[at], (notes->count - at) * sizeof(*notes->notes));
    notes->count++;
    struct memory_note *inserted = &notes->notes[at];
    *inserted = (struct memory_note){.key_len = note->key.len, .value_len = note->value.len};
    inserted->bytes = malloc(note->key.len + note->value.len);
    check(inserted->bytes != NULL);
    memcpy(inserted->bytes, note->key.data, note->key.len);
    if (note->value.len > 0)
        memcpy(inserted->bytes + note->key.len, note->value.data, note->value.len);
}

void memory_notes_set(struct memory_notes *notes, const struct store_note *note)
{
    check(note->key.len >= 1 && note->key.len <= STORE_NOTE_KEY_MAX);
    check(note->value.len <= STORE_NOTE_VALUE_MAX);
    uint32_t at = first_from(notes, note->key);
    if (at < notes->count && span_equal(memory_note_key(&notes->notes[at]), note->key))
        remove_at(notes, at);
    if (note->value.data != NULL)
        insert_at(notes, at, note);
}
