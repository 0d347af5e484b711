/* What a sealed segment holds and where, in a file beside it: found by reading single blocks. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_INDEX_FILE_H
#define JOURNAL_INDEX_FILE_H

#include "base/err.h"
#include "base/fs.h"
#include "journal/block_cache.h"
#include "journal/index_entry.h"

/* A partition that exists, and the slot under which the index in memory knows it. */
struct index_slot {
    uint32_t topic;
    uint32_t partition;
    uint32_t slot;
    uint64_t first_offset; /* in the segment; without records there: both are the next offset */
    uint64_t end_offset;
};

struct index_content {
    uint64_t number; /* of the segment */
    uint64_t epoch;
    uint64_t end;
    const struct segment_index *index; /* must not change meanwhile */
    const struct index_slot *slots;    /* of all partitions, by topic, partition */
    uint32_t slot_count;
};

/*
 * Writes the file anew and makes it durable: `N.index.tmp`, sync, rename, sync of the directory. An error of fs or
 * MEMORY leaves no half file, and an older one in its place; it may be tried again.
 */
enum err index_file_write(struct fs *fs, const struct index_content *content) MUST_CHECK;

/*
 * An open one. It does not change: any thread may ask, and waits for the disk. Memory: a few hundred bytes, and one
 * block on the stack of a call. Every block is checked when it is read; a bad one makes any of these end with
 * DAMAGED, and then the file should be made again from the segment.
 */
struct index_file;

/* NOT_FOUND when there is none; DAMAGED when it is not of this segment's life (epoch) or of another version. */
enum err
index_file_open(struct fs *fs, uint64_t number, uint64_t epoch, struct index_file **ret_file) MUST_CHECK;
/* Its blocks are remembered from now on; all questions then come with the cache's lock. */
void index_file_remember(struct index_file *file, struct block_cache *cache);
/* Whether it lacks what newer ones have: it should be made again from the segment, if there is one. */
bool index_file_is_older(const struct index_file *file);
/* Takes and returns NULL. */
struct index_file *index_file_close(struct index_file *file);
/* The segment's end. */
uint64_t index_file_end(const struct index_file *file);
/* Asks for the whole file to be read ahead. */
void index_file_will_need(const struct index_file *file);
/* Reads and checks all blocks. */
enum err index_file_verify(const struct index_file *file) MUST_CHECK;

/* NOT_FOUND when the partition did not exist. */
enum err index_file_partition(const struct index_file *file,
                              uint32_t topic,
                              uint32_t partition,
                              struct index_partition *ret_partition) MUST_CHECK;
/* As segment_index_extents_from; `partition` as index_file_partition gave it. */
enum err index_file_extents_from(const struct index_file *file,
                                 const struct index_partition *partition,
                                 uint64_t offset,
                                 struct index_extent *extents,
                                 uint32_t size,
                                 uint32_t *ret_count) MUST_CHECK;
/* As segment_index_extent_at_time; NOT_FOUND when there is none. */
enum err index_file_extent_at_time(const struct index_file *file,
                                   const struct index_partition *partition,
                                   int64_t wall_ns,
                                   struct index_extent *ret_extent) MUST_CHECK;

/* NOT_FOUND when the segment holds nothing of it. */
enum err index_file_sequence(const struct index_file *file,
                             uint32_t sequence,
                             struct index_sequence *ret_sequence) MUST_CHECK;
/* As those of run_set; `sequence` as index_file_sequence gave it. */
enum err index_file_has(const struct index_file *file,
                        const struct index_sequence *sequence,
                        uint64_t number,
                        bool *ret_has) MUST_CHECK;
enum err index_file_positions(const struct index_file *file,
                              const struct index_sequence *sequence,
                              uint64_t number,
                              uint32_t *positions,
                              uint32_t size,
                              uint32_t *ret_count) MUST_CHECK;
enum err index_file_collect(const struct index_file *file,
                            const struct index_sequence *sequence,
                            struct run_merge *merge) MUST_CHECK;

/* As place_index_find: where a number of a sequence stands. */
enum err index_file_places(const struct index_file *file,
                           uint32_t sequence,
                           uint64_t number,
                           struct place_found *found,
                           uint32_t size,
                           uint32_t *ret_count) MUST_CHECK;
/* As outcome_index_find. NOT_FOUND when nothing is told of the offset. */
enum err index_file_outcome(const struct index_file *file,
                            const struct outcome_key *key,
                            uint64_t offset,
                            struct outcome_mark *ret_mark) MUST_CHECK;

/* All of them in order; after an error some may have been told. */
enum err index_file_each_partition(const struct index_file *file,
                                   void (*on_partition)(void *owner, const struct index_partition *partition),
                                   void *owner) MUST_CHECK;
enum err index_file_each_identity(const struct index_file *file,
                                  void (*on_identity)(void *owner, const struct index_identity *identity),
                                  void *owner) MUST_CHECK;

#endif
