/* The groups that a configuration names: the log keeps what they have not completed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_NAMED_GROUPS_H
#define APP_NAMED_GROUPS_H

#include "config/config.h"
#include "journal/journal_settings.h"

struct named_groups {
    struct journal_named_group *groups; /* their texts are the configuration's */
    uint32_t count;
};

/* Those of `processed_by`, the deliveries, and the owners of processed logs. MEMORY. */
enum err named_groups_init(struct named_groups *named, const struct config *config) MUST_CHECK;
void named_groups_done(struct named_groups *named);

#endif
