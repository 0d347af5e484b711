/* The identities that the store in memory has seen (`duplicates: drop`). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MEMORY_IDENTITIES_H
#define STORE_MEMORY_IDENTITIES_H

#include "store/append.h"

struct memory_identity;

struct memory_identities {
    struct memory_identity *identities;
    uint32_t count;
    uint32_t size;
};

void memory_identities_done(struct memory_identities *identities);

/* As the operations of the same names in store.h. */
enum store_identity memory_identities_state(const struct memory_identities *identities,
                                            const uint8_t hash[16]);
void memory_identities_admit(struct memory_identities *identities,
                             const uint8_t (*hashes)[16],
                             uint32_t count,
                             enum store_identity *ret_states);
void memory_identities_forget(struct memory_identities *identities,
                              const uint8_t (*hashes)[16],
                              uint32_t count);
/* Their append is synced. */
void memory_identities_store(struct memory_identities *identities,
                             const uint8_t (*hashes)[16],
                             uint32_t count);

#endif
