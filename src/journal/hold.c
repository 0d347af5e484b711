/* Who still needs what. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/hold.h"

#include <stdlib.h>

const struct hold *hold_find(const struct journal *journal, const struct index_partition *partition)
{
    LIST_EACH (&journal->holds, link) {
        const struct hold *hold = LIST_OWNER(link, struct hold, link);
        if (hold->topic == partition->topic && hold->partition == partition->partition &&
            hold->offset < partition->summary.end_offset)
            return hold;
    }
    return NULL;
}

enum err
hold_set(struct journal *journal, struct span name, uint32_t topic, uint32_t partition, uint64_t offset)
{
    check(name.len > 0 && name.len <= STORE_TOPIC_NAME_MAX);
    enum err err = ERR_NONE;
    journal_lock(&journal->view);
    struct hold *found = NULL;
    LIST_EACH (&journal->holds, link) {
        struct hold *hold = LIST_OWNER(link, struct hold, link);
        if (hold->topic == topic && hold->partition == partition &&
            span_equal(span_of(hold->name, hold->name_len), name))
            found = hold;
    }
    if (catalog_partition(&journal->catalog, topic, partition) == NULL)
        err = ERR_UNKNOWN_TOPIC;
    else if (found == NULL && journal->hold_count >= JOURNAL_HOLDS_MAX)
        err = ERR_TOO_MANY;
    else if (found == NULL && (found = calloc(1, sizeof *found)) == NULL)
        err = ERR_MEMORY;
    if (err == ERR_NONE && found->name_len == 0) {
        *found = (struct hold){.topic = topic, .partition = partition, .name_len = name.len};
        memcpy(found->name, name.data, name.len);
        list_insert_last(&journal->holds, &found->link);
        journal->hold_count++;
    }
    if (err == ERR_NONE)
        found->offset = offset;
    journal_unlock(&journal->view);
    return err;
}

void hold_free_all(struct journal *journal)
{
    LIST_EACH_SAFE (&journal->holds, link) {
        list_remove(link);
        free(LIST_OWNER(link, struct hold, link));
    }
}
