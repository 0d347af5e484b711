/* What a second configuration says otherwise than a first. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_DIFF_H
#define CONFIG_CONFIG_DIFF_H

#include "config/config.h"

struct config_change {
    const char *path; /* "topics.orders.retention.age", "doors[0].tls.cert"; gone when the callback returns */
    enum config_reload reload;
    struct config_place place; /* in the second; where the section stands, when it does not say the key */
};

/*
 * Tells each field whose value differs, along the tables. Items of a list are held against those at the same place, items of
 * a map against those of the same name: one that came or went is one change, named by its list or its name.
 */
void config_diff(const struct config *before,
                 const struct config *after,
                 void (*on_change)(void *owner, const struct config_change *change),
                 void *owner);

#endif
