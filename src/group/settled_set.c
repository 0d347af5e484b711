/* Outcomes of records that nobody was given: one block with copies of all that they speak of. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "group/settled_set.h"

#include <stdlib.h>

static size_t texts_size(const struct settled_set_parts *parts)
{
    size_t size = parts->note == NULL ? 0 : parts->note->key.len + parts->note->value.len;
    for (uint32_t i = 0; i < parts->count; i++)
        size += parts->settled[i].by.len;
    return size;
}

static struct span copy_text(uint8_t **texts, struct span text)
{
    struct span copy = span_of(*texts, text.len);
    if (text.len > 0)
        memcpy(*texts, text.data, text.len);
    *texts += text.len;
    return copy;
}

static void fill(struct settled_set *set, const struct settled_set_parts *parts, uint8_t *texts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        set->settled[i] = parts->settled[i];
        set->settled[i].by = copy_text(&texts, parts->settled[i].by);
        set->pledges[i] = (struct partition_pledge){
            .partition = parts->partitions[i],
            .from = parts->settled[i].offset,
            .to = parts->settled[i].offset + parts->settled[i].count,
        };
        group_partition_pledge(&set->pledges[i]);
    }
    if (parts->note == NULL)
        return;
    set->has_note = true;
    set->note = *parts->note;
    set->note.key = copy_text(&texts, parts->note->key);
    if (parts->note->value.data != NULL)
        set->note.value = copy_text(&texts, parts->note->value);
}

enum err
settled_set_new(struct group_core *core, const struct settled_set_parts *parts, struct settled_set **ret_set)
{
    if (parts->count > STORE_SETTLED_MAX)
        return ERR_TOO_MANY;
    size_t pledges_at = sizeof(struct settled_set) + parts->count * sizeof(struct store_settled);
    size_t texts_at = pledges_at + parts->count * sizeof(struct partition_pledge);
    uint8_t *block = malloc(texts_at + texts_size(parts));
    if (block == NULL)
        return ERR_MEMORY;
    struct settled_set *set = (struct settled_set *)(void *)block;
    *set = (struct settled_set){
        .core = core,
        .settled = (struct store_settled *)(void *)(block + sizeof *set),
        .pledges = (struct partition_pledge *)(void *)(block + pledges_at),
        .count = parts->count,
        .on_settled = parts->on_settled,
        .owner = parts->owner,
    };
    list_init(&set->link);
    core->held += set->count;
    fill(set, parts, block + texts_at);
    *ret_set = set;
    return ERR_NONE;
}

void settled_set_end(struct settled_set *set, enum err err)
{
    for (uint32_t i = 0; i < set->count; i++)
        list_remove(&set->pledges[i].link);
    set->core->held -= set->count;
    list_remove(&set->link);
    if (set->on_settled != NULL)
        set->on_settled(set->owner, err);
    free(set);
}
