/* Runs of open records in the order of their numbers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/seq_index.h"

#include <stdlib.h>
#include <string.h>

#include "group/group_run.h"

enum { PAGE_SIZE = 128, PAGES_FIRST = 4 };

struct seq_page {
    uint32_t count;
    struct seq_key keys[PAGE_SIZE];
};

void seq_index_init(struct seq_index *index)
{
    *index = (struct seq_index){.count = 0};
}

void seq_index_done(struct seq_index *index)
{
    for (uint32_t i = 0; i < index->count; i++)
        free(index->pages[i]);
    free(index->pages);
    seq_index_init(index);
}

static bool is_less(struct seq_key a, struct seq_key b)
{
    return a.seq < b.seq || (a.seq == b.seq && a.run < b.run);
}

static struct seq_key key_of(const struct group_run *run)
{
    return (struct seq_key){run->seq, (uintptr_t)run};
}

/* The last page that begins at or before `key`; the first one when none does. */
static uint32_t find_page(const struct seq_index *index, struct seq_key key)
{
    uint32_t low = 0;
    uint32_t high = index->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (is_less(key, index->pages[middle]->keys[0]))
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* How many keys of the page are less than `key`. */
static uint32_t find_key(const struct seq_page *page, struct seq_key key)
{
    uint32_t low = 0;
    uint32_t high = page->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_less(page->keys[middle], key))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err insert_page(struct seq_index *index, uint32_t at, struct seq_page **ret_page)
{
    if (index->count == index->size) {
        uint32_t size = index->size == 0 ? PAGES_FIRST : index->size * 2;
        struct seq_page **pages = realloc(index->pages, size * sizeof(struct seq_page *));
        if (pages == NULL)
            return ERR_MEMORY;
        index->pages = pages;
        index->size = size;
    }
    struct seq_page *page = malloc(sizeof *page);
    if (page == NULL)
        return ERR_MEMORY;
    page->count = 0;
    memmove(&index->pages[at + 1], &index->pages[at], (index->count - at) * sizeof(struct seq_page *));
    index->pages[at] = page;
    index->count++;
    *ret_page = page;
    return ERR_NONE;
}

/* Room for `key`: numbers that only grow fill their pages, others split them in two. */
static enum err make_room(struct seq_index *index, uint32_t *at, struct seq_key key)
{
    struct seq_page *page = index->count == 0 ? NULL : index->pages[*at];
    if (page != NULL && page->count < PAGE_SIZE)
        return ERR_NONE;
    bool is_last = page == NULL || (*at == index->count - 1 && is_less(page->keys[page->count - 1], key));
    uint32_t moved = is_last ? 0 : PAGE_SIZE / 2;
    struct seq_page *next;
    enum err err = insert_page(index, page == NULL ? 0 : *at + 1, &next);
    if (err != ERR_NONE)
        return err;
    if (moved > 0) {
        memcpy(next->keys, &page->keys[PAGE_SIZE - moved], moved * sizeof(struct seq_key));
        next->count = moved;
        page->count -= moved;
    }
    if (page != NULL && (moved == 0 || !is_less(key, next->keys[0])))
        ++*at;
    return ERR_NONE;
}

enum err seq_index_add(struct seq_index *index, struct group_run *run)
{
    struct seq_key key = key_of(run);
    uint32_t at = find_page(index, key);
    enum err err = make_room(index, &at, key);
    if (err != ERR_NONE)
        return err;
    struct seq_page *page = index->pages[at];
    uint32_t place = find_key(page, key);
    memmove(&page->keys[place + 1], &page->keys[place], (page->count - place) * sizeof(struct seq_key));
    page->keys[place] = key;
    page->count++;
    return ERR_NONE;
}

void seq_index_remove(struct seq_index *index, struct group_run *run)
{
    struct seq_key key = key_of(run);
    check(index->count > 0);
    uint32_t at = find_page(index, key);
    struct seq_page *page = index->pages[at];
    uint32_t place = find_key(page, key);
    check(place < page->count && page->keys[place].run == key.run);
    page->count--;
    memmove(&page->keys[place], &page->keys[place + 1], (page->count - place) * sizeof(struct seq_key));
    if (page->count > 0)
        return;
    free(page);
    index->count--;
    memmove(&index->pages[at], &index->pages[at + 1], (index->count - at) * sizeof(struct seq_page *));
}

struct group_run *seq_index_next(const struct seq_index *index, struct seq_key *key)
{
    if (index->count == 0)
        return NULL;
    struct seq_key behind = {key->seq, key->run + 1};
    uint32_t at = find_page(index, behind);
    uint32_t place = find_key(index->pages[at], behind);
    if (place == index->pages[at]->count) {
        place = 0;
        at++;
    }
    if (at == index->count)
        return NULL;
    *key = index->pages[at]->keys[place];
    return (struct group_run *)key->run;
}
