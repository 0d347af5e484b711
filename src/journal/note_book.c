/* Notes in a sorted array. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/note_book.h"

#include <stdlib.h>
#include <string.h>

enum { NOTES_FIRST = 16 };

void note_book_init(struct note_book *book, size_t bytes_max)
{
    *book = (struct note_book){.bytes_max = bytes_max};
}

void note_book_done(struct note_book *book)
{
    for (uint32_t i = 0; i < book->count; i++)
        free(book->notes[i]);
    free(book->notes);
    *book = (struct note_book){0};
}

size_t note_cost(struct span key, struct span value)
{
    return NOTE_BOOK_FIXED_COST + key.len + value.len;
}

bool note_is_legal(const struct store_note *note)
{
    return note->key.len > 0 && note->key.len <= STORE_NOTE_KEY_MAX &&
           (note->value.data == NULL || note->value.len <= STORE_NOTE_VALUE_MAX);
}

struct note *note_new(const struct store_note *note)
{
    struct note *copy = malloc(sizeof *copy + note->key.len + note->value.len);
    if (copy == NULL)
        return NULL;
    copy->key_len = (uint32_t)note->key.len;
    copy->value_len = (uint32_t)note->value.len;
    memcpy(copy->bytes, note->key.data, note->key.len);
    if (note->value.len > 0)
        memcpy(copy->bytes + note->key.len, note->value.data, note->value.len);
    return copy;
}

static int compare(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The first one whose key is not below (or, with `behind`, is above) the key. */
static uint32_t place_of(const struct note_book *book, struct span key, bool behind)
{
    uint32_t low = 0;
    uint32_t high = book->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = compare(note_key(book->notes[middle]), key);
        if (order < 0 || (behind && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err reserve_place(struct note_book *book)
{
    if (book->count + book->pending_count < book->size)
        return ERR_NONE;
    uint32_t size = book->size == 0 ? NOTES_FIRST : book->size * 2;
    struct note **notes = realloc(book->notes, size * sizeof(struct note *));
    if (notes == NULL)
        return ERR_MEMORY;
    book->notes = notes;
    book->size = size;
    return ERR_NONE;
}

enum err note_book_reserve(struct note_book *book, const struct store_note *note)
{
    if (note->value.data == NULL)
        return ERR_NONE;
    size_t cost = note_cost(note->key, note->value);
    if (book->bytes + book->pending + cost > book->bytes_max ||
        book->count + book->pending_count >= NOTE_BOOK_COUNT_MAX)
        return ERR_TOO_MANY;
    enum err err = reserve_place(book);
    if (err != ERR_NONE)
        return err;
    book->pending += cost;
    book->pending_count++;
    return ERR_NONE;
}

void note_book_release(struct note_book *book, const struct store_note *note)
{
    if (note->value.data == NULL)
        return;
    book->pending -= note_cost(note->key, note->value);
    book->pending_count--;
}

static bool has_at(const struct note_book *book, uint32_t place, struct span key)
{
    return place < book->count && span_equal(note_key(book->notes[place]), key);
}

static size_t cost_of(const struct note *note)
{
    return note_cost(note_key(note), note_value(note));
}

void note_book_put(struct note_book *book, struct note *take_note)
{
    uint32_t place = place_of(book, note_key(take_note), false);
    book->bytes += cost_of(take_note);
    if (has_at(book, place, note_key(take_note))) {
        book->bytes -= cost_of(book->notes[place]);
        free(book->notes[place]);
        book->notes[place] = take_note;
        return;
    }
    check(book->count < book->size);
    memmove(book->notes + place + 1, book->notes + place, (book->count - place) * sizeof(struct note *));
    book->notes[place] = take_note;
    book->count++;
}

enum err note_book_load(struct note_book *book, const struct store_note *note)
{
    enum err err = reserve_place(book);
    struct note *copy = err == ERR_NONE ? note_new(note) : NULL;
    if (copy == NULL)
        return ERR_MEMORY;
    note_book_put(book, copy);
    return ERR_NONE;
}

void note_book_remove(struct note_book *book, struct span key)
{
    uint32_t place = place_of(book, key, false);
    if (!has_at(book, place, key))
        return;
    book->bytes -= cost_of(book->notes[place]);
    free(book->notes[place]);
    book->count--;
    memmove(book->notes + place, book->notes + place + 1, (book->count - place) * sizeof(struct note *));
}

const struct note *note_book_get(const struct note_book *book, struct span key)
{
    uint32_t place = place_of(book, key, false);
    return has_at(book, place, key) ? book->notes[place] : NULL;
}

/* Keys with the prefix stand together, from the prefix itself on. */
const struct note *note_book_next(const struct note_book *book, struct span prefix, struct span after)
{
    bool is_behind = compare(after, prefix) >= 0 && after.len > 0;
    uint32_t place = place_of(book, is_behind ? after : prefix, is_behind);
    if (place == book->count)
        return NULL;
    struct span key = note_key(book->notes[place]);
    bool begins = key.len >= prefix.len && span_equal(span_of(key.data, prefix.len), prefix);
    return begins ? book->notes[place] : NULL;
}
