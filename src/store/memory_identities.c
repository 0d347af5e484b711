/* The identities that the store in memory has seen. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory_identities.h"

#include <stdlib.h>
#include <string.h>

struct memory_identity {
    uint8_t hash[16];
    bool is_stored;
};

void memory_identities_done(struct memory_identities *identities)
{
    free(identities->identities);
    *identities = (struct memory_identities){.count = 0};
}

static void remember(struct memory_identities *identities, const uint8_t hash[16])
{
    if (identities->count == identities->size) {
        identities->size = identities->size == 0 ? 64 : identities->size * 2;
        identities->identities =
            realloc(identities->identities, identities->size * sizeof(*identities->identities));
        check(identities->identities != NULL);
    }
    struct memory_identity *identity = &identities->identities[identities->count++];
    memcpy(identity->hash, hash, 16);
    identity->is_stored = false;
}

static struct memory_identity *find(const struct memory_identities *identities, const uint8_t hash[16])
{
    for (uint32_t i = 0; i < identities->count; i++)
        if (memcmp(identities->identities[i].hash, hash, 16) == 0)
            return &identities->identities[i];
    return NULL;
}

enum store_identity memory_identities_state(const struct memory_identities *identities,
                                            const uint8_t hash[16])
{
    const struct memory_identity *known = find(identities, hash);
    if (known == NULL)
        return STORE_IDENTITY_NEW;
    return known->is_stored ? STORE_IDENTITY_STORED : STORE_IDENTITY_PENDING;
}

void memory_identities_admit(struct memory_identities *identities,
                             const uint8_t (*hashes)[16],
                             uint32_t count,
                             enum store_identity *ret_states)
{
    for (uint32_t i = 0; i < count; i++) {
        ret_states[i] = memory_identities_state(identities, hashes[i]);
        if (ret_states[i] == STORE_IDENTITY_NEW)
            remember(identities, hashes[i]);
    }
}

void memory_identities_forget(struct memory_identities *identities,
                              const uint8_t (*hashes)[16],
                              uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct memory_identity *known = find(identities, hashes[i]);
        if (known != NULL)
            *known = identities->identities[--identities->count];
    }
}

void memory_identities_store(struct memory_identities *identities,
                             const uint8_t (*hashes)[16],
                             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct memory_identity *known = find(identities, hashes[i]);
        if (known != NULL)
            known->is_stored = true;
    }
}
