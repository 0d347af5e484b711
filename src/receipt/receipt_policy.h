/* Whose outcome `done` means that a record is processed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECEIPT_RECEIPT_POLICY_H
#define RECEIPT_RECEIPT_POLICY_H

#include <stdint.h>

/* All of these groups must be done with a record of the topic. */
struct receipt_rule {
    const char *topic; /* NULL: every topic that has no rule of its own */
    const char *const *groups;
    uint32_t group_count;
};

/*
 * Where no rule says it, those groups decide that have begun in the topic and have said DONE once, or own a processed log.
 * Deliveries whose target only takes records, as a file does, decide by a rule alone.
 * A named group that does not exist yet is done with nothing.
 */
struct receipt_policy {
    const struct receipt_rule *rules;
    uint32_t rule_count;
    const char *const *log_groups; /* that own a processed log */
    uint32_t log_group_count;
    const char *const *carrier_groups; /* that only deliver */
    uint32_t carrier_group_count;
};

#endif
