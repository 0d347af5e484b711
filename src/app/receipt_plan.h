/* Whose `done` means processed, as the configuration says it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_RECEIPT_PLAN_H
#define APP_RECEIPT_PLAN_H

#include "base/err.h"
#include "config/config.h"
#include "receipt/receipt_policy.h"

struct receipt_plan {
    struct receipt_policy policy;
    struct receipt_rule *rules; /* of the policy */
    const char **log_groups;    /* likewise */
    const char **carrier_groups;
};

/* The configuration must outlive the plan. MEMORY. */
enum err receipt_plan_init(struct receipt_plan *plan, const struct config *config) MUST_CHECK;
void receipt_plan_done(struct receipt_plan *plan);

#endif
