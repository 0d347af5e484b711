/* Replay: a range of a dead-letter partition as one more source of a topic's members. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_SOURCE_H
#define GROUP_GROUP_SOURCE_H

#include "group/group_unit.h"

/* All of it was given, nothing of it is open or on its way, and its end was not told yet. */
bool group_source_is_over(const struct group_source *source);

#endif
