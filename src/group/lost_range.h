/* Which records retention took before a group that was away came back. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_LOST_RANGE_H
#define GROUP_LOST_RANGE_H

#include <stdbool.h>

#include "store/store.h"

/* The expired offsets right below the group's low-water mark; false when there are none. */
bool lost_range_find(struct store *store,
                     uint32_t group,
                     uint32_t topic,
                     uint32_t partition,
                     uint64_t *ret_from,
                     uint64_t *ret_to);

#endif
