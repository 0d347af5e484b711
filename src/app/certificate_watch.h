/* Says in time that a door's certificate is about to expire. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_CERTIFICATE_WATCH_H
#define APP_CERTIFICATE_WATCH_H

#include "app/door_plan.h"

struct certificate_watch {
    int64_t said_ns; /* wall time of the last look that spoke */
};

/*
 * Sets the metric from the plans' certificates, and once a day says which doors' expire within 14 days, or have; with
 * `speaks` now. To be called every minute or so.
 */
void certificate_watch_look(struct certificate_watch *watch,
                            const struct door_plans *plans,
                            int64_t wall_ns,
                            bool speaks);

#endif
