/* Appends of a few records, laid out as a door lays them out. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TEST_APPEND_H
#define SUPPORT_TEST_APPEND_H

#include "store/store.h"
#include "wire/record_batch.h"

enum { TEST_APPEND_PARTS_MAX = 8 };

struct test_append {
    struct store_append append; /* fields may be changed before it is given to a store */
    struct store_part parts[TEST_APPEND_PARTS_MAX];
    struct store_run runs[TEST_APPEND_PARTS_MAX];
    size_t size;
    bool is_done; /* its mail has come */
};

/* What a batch holds: `count` records alike. */
struct test_records {
    const char *key; /* NULL: none */
    const char *value;
    uint64_t seq;   /* of the first, in a header, counting up; 0: none */
    uint32_t count; /* 0 means 1 */
};

struct test_append *test_append_new(struct mailbox *reply_to);
struct test_append *test_append_free(struct test_append *test);

/* One more batch. Its numbers belong to the sequence 0. */
void test_append_add(struct test_append *test,
                     const struct store_topic *topic,
                     uint32_t partition,
                     struct test_records records);

/* One batch, stored at once: the store must not hold appends back. */
void test_append_store(struct store *store,
                       const struct store_topic *topic,
                       uint32_t partition,
                       struct test_records records);

#endif
