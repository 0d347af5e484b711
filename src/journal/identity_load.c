/* From index files, or from an index in memory, to the window. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/identity_load.h"

#include "journal/seal.h"

static void on_identity(void *owner, const struct index_identity *identity)
{
    struct journal *journal = owner;
    (void)!identity_window_load(&journal->identities, identity->hash, identity->wall_ns);
}

/* The index is in memory when there was no space for its file. */
static enum err load_from(struct journal *journal, struct segment *segment)
{
    if (segment->index == NULL)
        return segment_index_outcome(segment,
                                     index_file_each_identity(segment->index_file, on_identity, journal));
    for (uint32_t i = 0; i < segment_index_identity_count(segment->index); i++)
        on_identity(journal, segment_index_identity(segment->index, i));
    return ERR_NONE;
}

/* A bad file is made again once. */
static enum err load_segment(struct journal *journal, struct segment *segment)
{
    enum err err = ERR_AGAIN;
    for (int tries = 0; err == ERR_AGAIN && tries < 2; tries++) {
        err = seal_open_index(journal, segment);
        if (err == ERR_NONE)
            err = load_from(journal, segment);
    }
    return err;
}

void identity_load(struct journal *journal,
                   void (*on_bad)(void *owner, uint64_t segment, enum err err),
                   void *owner)
{
    const struct segment_table *table = &journal->table;
    int64_t oldest_ns = clock_wall_ns(journal->seams.clock) - journal->settings.identities_keep_ns;
    uint64_t count = 0;
    uint32_t first = table->count;
    while (first > 0 && count < journal->settings.identities_max &&
           table->segments[first - 1]->last_ns >= oldest_ns)
        count += table->segments[--first]->identity_count;
    for (uint32_t i = first; i < table->count; i++) {
        struct segment *segment = table->segments[i];
        enum err err = segment->identity_count == 0 ? ERR_NONE : load_segment(journal, segment);
        if (err != ERR_NONE)
            on_bad(owner, segment->number, err);
    }
}
