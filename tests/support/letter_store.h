/* A store in memory with dead letters in it, and a thread of its own: mails are delivered when a test says so. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_LETTER_STORE_H
#define SUPPORT_LETTER_STORE_H

#include "deadletter/dead_letter.h"
#include "store/store_memory.h"

struct letter_store {
    struct clock_fake clock;
    struct mailbox mailbox;
    struct store *store;
};

void letter_store_begin(struct letter_store *letters);
void letter_store_end(struct letter_store *letters);
/* Delivers mails until there are none. */
void letter_store_settle(struct letter_store *letters);

/* The topic, made with so many partitions when it is absent. */
struct store_topic letter_store_topic(struct letter_store *letters, const char *name, uint32_t partitions);

/* A record of `topic` that group `group` gave up for `reason`: key k<offset of the original>, value v<offset>, header seq. */
struct letter_plan {
    const char *topic;
    const char *group; /* NULL: a parked line, with the header reason alone */
    const char *reason;
    uint64_t origin;
};
void letter_store_add(struct letter_store *letters,
                      const struct store_topic *dead_letters,
                      uint32_t partition,
                      const struct letter_plan *plan);

/* What the group says of the dead letter. */
enum store_outcome letter_store_outcome(struct letter_store *letters,
                                        const char *group,
                                        const struct store_topic *dead_letters,
                                        uint32_t partition,
                                        uint64_t offset);
/* The values of a topic's partition, a line each; valid until the next call. */
const char *letter_store_values(struct letter_store *letters, const char *topic, uint32_t partition);
uint64_t letter_store_end_of(struct letter_store *letters, const char *topic, uint32_t partition);

#endif
