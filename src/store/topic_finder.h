/* From a topic's id to the topic. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_TOPIC_FINDER_H
#define STORE_TOPIC_FINDER_H

#include "store/store.h"

/* False when there is no such topic. */
bool topic_finder_find(struct store *store, uint32_t id, struct store_topic *ret_topic);

#endif
