/* Frees groups, units and partitions that have no use any more. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUPS_SWEEP_H
#define GROUP_GROUPS_SWEEP_H

#include "group/live_group.h"

/* What came back is remembered, unless `all`. core.has_idle is set again when something is left that may go later. */
void groups_sweep(struct groups *groups, bool all);

#endif
