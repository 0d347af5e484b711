/* Ids are given in order, so the place of the id is looked at first. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/topic_finder.h"

bool topic_finder_find(struct store *store, uint32_t id, struct store_topic *ret_topic)
{
    struct store_topic topic;
    uint32_t position = id;
    bool is_found = store->ops->topic_next(store, &position, &topic) && topic.id == id;
    for (position = 0; !is_found && store->ops->topic_next(store, &position, &topic);)
        is_found = topic.id == id;
    if (is_found)
        *ret_topic = topic;
    return is_found;
}
