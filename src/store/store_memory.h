/* A store that keeps everything in memory and does what a test tells it to: for tests of what stands above a store. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_STORE_MEMORY_H
#define STORE_STORE_MEMORY_H

#include "base/clock.h"
#include "store/store.h"

/* One thread only. It completes appends at once, by mail; reads answer at once. Limits: record 1 MiB, append 8 MiB. */
struct store *store_memory_new(struct clock *clock);
/* Nothing may wait. Returns NULL. */
struct store *store_memory_free(struct store *store);

/* While on, appends and PENDING reads wait for store_memory_finish. */
void store_memory_hold(struct store *store, bool hold);
/* Completes the oldest `count` of them, or as many as there are; their number. */
uint32_t store_memory_finish(struct store *store, uint32_t count);
uint32_t store_memory_waiting(struct store *store);

/* FULL: appends wait until it is OPEN again. BROKEN: those that wait, and all later ones, end with BROKEN. */
void store_memory_set_state(struct store *store, enum store_state state);
/* Further appends are BUSY while this many bytes wait; 4 MiB without. */
void store_memory_set_inflight_max(struct store *store, size_t bytes);
/* Appends with parts of this topic are refused with FULL while it is on, but for urgent ones. */
void store_memory_set_topic_full(struct store *store, uint32_t topic, bool is_full);
/* Topics beyond this many are TOO_MANY. */
void store_memory_set_topics_max(struct store *store, uint32_t count);
/* Reads with a reply_to are PENDING and answered by mail. */
void store_memory_set_slow_reads(struct store *store, bool are_slow);
/* Retention: offsets below `start` are gone. */
void store_memory_expire(struct store *store, uint32_t topic, uint32_t partition, uint64_t start);

#endif
