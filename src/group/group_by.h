/* Who settled records: a short text that its member and its outcomes share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_BY_H
#define GROUP_GROUP_BY_H

#include <stdlib.h>

#include "store/settled.h"

struct group_by {
    uint32_t refs;
    uint8_t len;
    char text[STORE_BY_MAX];
};

/* One reference; NULL without memory. At most STORE_BY_MAX bytes are kept. */
static inline struct group_by *group_by_new(struct span text)
{
    struct group_by *by = malloc(sizeof *by);
    if (by == NULL)
        return NULL;
    by->refs = 1;
    by->len = (uint8_t)(text.len < STORE_BY_MAX ? text.len : STORE_BY_MAX);
    if (by->len > 0)
        memcpy(by->text, text.data, by->len);
    return by;
}

static inline struct group_by *group_by_ref(struct group_by *by)
{
    by->refs++;
    return by;
}

/* Returns NULL. */
static inline struct group_by *group_by_unref(struct group_by *by)
{
    if (by != NULL && --by->refs == 0)
        free(by);
    return NULL;
}

static inline struct span group_by_text(const struct group_by *by)
{
    return span_of(by->text, by->len);
}

#endif
