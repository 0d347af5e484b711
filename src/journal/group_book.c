/* Groups by id, their progresses by slot. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/group_book.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESSES_FIRST = 4 };

void group_book_init(struct group_book *book, size_t bytes_max)
{
    *book = (struct group_book){.next_id = 1, .bytes_max = bytes_max};
}

static void free_group(struct journal_group *group)
{
    for (uint32_t i = 0; i < group->count; i++)
        group_progress_free(group->progresses[i]);
    free(group->progresses);
    free(group);
}

void group_book_done(struct group_book *book)
{
    for (uint32_t i = 0; i < book->count; i++)
        free_group(book->groups[i]);
    free(book->groups);
    *book = (struct group_book){0};
}

struct journal_group *group_book_by_name(const struct group_book *book, struct span name)
{
    for (uint32_t i = 0; i < book->count; i++)
        if (!book->groups[i]->is_going && span_equal_text(name, book->groups[i]->public.name))
            return book->groups[i];
    return NULL;
}

/* The place of the group with this id, or of the next one. */
static uint32_t place_of(const struct group_book *book, uint32_t id)
{
    uint32_t low = 0;
    uint32_t high = book->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (book->groups[middle]->public.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct journal_group *group_book_by_id(const struct group_book *book, uint32_t id)
{
    uint32_t place = place_of(book, id);
    return place < book->count && book->groups[place]->public.id == id ? book->groups[place] : NULL;
}

enum err group_book_add(struct group_book *book,
                        uint32_t id,
                        struct span name,
                        int64_t active_ns,
                        struct journal_group **ret_group)
{
    if (!store_topic_name_is_legal(name))
        return ERR_BAD_NAME;
    if (id < book->next_id || id == UINT32_MAX)
        return ERR_BAD_INPUT;
    if (book->count == STORE_GROUPS_MAX)
        return ERR_TOO_MANY;
    if (book->groups == NULL)
        book->groups = calloc(STORE_GROUPS_MAX, sizeof(struct journal_group *));
    if (book->groups == NULL)
        return ERR_MEMORY;
    struct journal_group *group = calloc(1, sizeof *group);
    if (group == NULL)
        return ERR_MEMORY;
    group->public = (struct store_group){.id = id, .active_ns = active_ns};
    memcpy(group->public.name, name.data, name.len);
    book->groups[book->count++] = group;
    book->next_id = id + 1;
    book->bytes += GROUP_BOOK_GROUP_COST;
    *ret_group = group;
    return ERR_NONE;
}

void group_book_remove(struct group_book *book, uint32_t id)
{
    struct journal_group *group = group_book_by_id(book, id);
    if (group == NULL)
        return;
    uint32_t place = place_of(book, id);
    for (uint32_t i = 0; i < group->count; i++)
        book->bytes -= group_progress_cost(group->progresses[i]);
    book->bytes -= GROUP_BOOK_GROUP_COST;
    free_group(group);
    book->count--;
    memmove(book->groups + place, book->groups + place + 1,
            (book->count - place) * sizeof(struct journal_group *));
}

/* --- Progress ------------------------------------------------------------------------------------ */

static uint32_t place_of_slot(const struct journal_group *group, uint32_t slot)
{
    uint32_t low = 0;
    uint32_t high = group->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (group->progresses[middle]->slot < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct group_progress *group_book_progress_from(const struct journal_group *group, uint32_t slot)
{
    uint32_t place = place_of_slot(group, slot);
    return place < group->count ? group->progresses[place] : NULL;
}

struct group_progress *group_book_progress(const struct journal_group *group, uint32_t slot)
{
    struct group_progress *progress = group_book_progress_from(group, slot);
    return progress != NULL && progress->slot == slot ? progress : NULL;
}

static enum err insert(struct journal_group *group, struct group_progress *progress)
{
    if (group->count == group->size) {
        uint32_t size = group->size == 0 ? PROGRESSES_FIRST : group->size * 2;
        struct group_progress **progresses =
            realloc(group->progresses, size * sizeof(struct group_progress *));
        if (progresses == NULL)
            return ERR_MEMORY;
        group->progresses = progresses;
        group->size = size;
    }
    uint32_t place = place_of_slot(group, progress->slot);
    memmove(group->progresses + place + 1, group->progresses + place,
            (group->count - place) * sizeof(struct group_progress *));
    group->progresses[place] = progress;
    group->count++;
    return ERR_NONE;
}

enum err group_book_make_progress(struct group_book *book,
                                  struct journal_group *group,
                                  const struct group_place *place,
                                  bool is_limited,
                                  struct group_progress **ret_progress)
{
    struct group_progress *progress = group_book_progress(group, place->slot);
    enum err err = ERR_NONE;
    if (progress == NULL) {
        if (is_limited && !group_book_has_room(book, PROGRESS_FIXED_COST))
            return ERR_TOO_MANY;
        err = group_progress_new(place->topic, place->partition, place->slot, place->start, &progress);
        if (err == ERR_NONE)
            err = insert(group, progress);
        if (err != ERR_NONE) {
            group_progress_free(progress);
            return err;
        }
        book->bytes += PROGRESS_FIXED_COST;
    }
    *ret_progress = progress;
    return err;
}

/* The progress has changed since it cost this much. */
static void count_again(struct group_book *book, const struct group_progress *progress, size_t cost)
{
    book->bytes += group_progress_cost(progress) - cost; /* may go down: the sum wraps to what is right */
}

enum err
group_book_reserve(struct group_book *book, struct group_progress *progress, struct progress_range range)
{
    size_t cost = group_progress_cost(progress);
    enum err err = group_progress_reserve(progress, range);
    bool has_grown = group_progress_cost(progress) > cost;
    count_again(book, progress, cost);
    if (err != ERR_NONE || !has_grown || group_book_has_room(book, 0))
        return err;
    cost = group_progress_cost(progress);
    group_progress_trim(progress);
    count_again(book, progress, cost);
    return ERR_TOO_MANY;
}

void group_book_begin(struct group_book *book, struct group_progress *progress, uint64_t start)
{
    if (progress->has_begun)
        return;
    if (start > progress->low) { /* while it was reserved, retention went on */
        size_t cost = group_progress_cost(progress);
        enum err err = group_progress_settle(progress, (struct progress_range){progress->low, start});
        check(err == ERR_NONE); /* it only lifts the mark */
        count_again(book, progress, cost);
    }
    progress->has_begun = true;
}

enum err
group_book_settle(struct group_book *book, struct group_progress *progress, struct progress_range range)
{
    size_t cost = group_progress_cost(progress);
    enum err err = group_progress_settle(progress, range);
    count_again(book, progress, cost);
    return err;
}

void group_book_seek(struct group_book *book, struct group_progress *progress, uint64_t offset)
{
    size_t cost = group_progress_cost(progress);
    group_progress_seek(progress, offset);
    count_again(book, progress, cost);
}
