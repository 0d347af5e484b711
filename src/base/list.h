/* A doubly linked list whose links live inside its members. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"

struct list {
    struct list *previous;
    struct list *next;
};

/* The member that holds this link. */
#define LIST_OWNER(link, type, field) ((type *)(void *)((char *)(link)-offsetof(type, field)))
/* `head` is a struct list *; `link` is declared here. */
#define LIST_EACH(head, link) for (struct list *link = (head)->next; link != (head); link = link->next)
/* Allows that `link` is taken out, or its owner freed, in the body. */
#define LIST_EACH_SAFE(head, link)                                                                           \
    for (struct list *link = (head)->next, *link##_next = link->next; link != (head);                        \
         link = link##_next, link##_next = link->next)

static inline void list_init(struct list *list)
{
    list->previous = list;
    list->next = list;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_insert_first(struct list *list, struct list *link)
{
    link->previous = list;
    link->next = list->next;
    list->next->previous = link;
    list->next = link;
}

static inline void list_insert_last(struct list *list, struct list *link)
{
    link->previous = list->previous;
    link->next = list;
    list->previous->next = link;
    list->previous = link;
}

/* A link taken out is a list of its own: taking it out again does nothing. */
static inline void list_remove(struct list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

/* The first link, taken out; NULL when there is none. */
static inline struct list *list_take_first(struct list *list)
{
    if (list_is_empty(list))
        return NULL;
    struct list *first = list->next;
    list_remove(first);
    return first;
}

/* Moves all of `source` behind the last of `target`. */
static inline void list_move_all(struct list *target, struct list *source)
{
    if (list_is_empty(source))
        return;
    source->next->previous = target->previous;
    target->previous->next = source->next;
    source->previous->next = target;
    target->previous = source->previous;
    list_init(source);
}

#endif
