/* A file system in memory for tests: it fails on demand, and knows what a power cut would have left. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_FS_MEMORY_H
#define SUPPORT_FS_MEMORY_H

#include "base/buffer.h"
#include "base/fs.h"
#include "base/random.h"

/*
 * Every change (create, write, truncate, sync, rename, unlink, link, sync of the directory) is one operation
 * of a trace. fs_memory_crash rebuilds from it what a machine would find after a power cut behind any of
 * them:
 *
 *   data      is certain once its file was synced; before that each mode decides
 *   names     are certain once the directory was synced; syncing a file does not make its name certain
 *   a failed  write leaves its first half; a failed sync forgets: no later sync makes those bytes certain
 *
 * For one thread at a time. Running out of memory ends the test.
 */
enum fs_memory_mode {
    FS_MEMORY_KEPT,      /* everything unsynced reached the disk */
    FS_MEMORY_DROPPED,   /* nothing of it: the old bytes and names are there again */
    FS_MEMORY_TORN,      /* it did in order, up to a 512-byte sector somewhere within */
    FS_MEMORY_REORDERED, /* of each 512-byte sector, name and size some version since the sync, by chance */
    FS_MEMORY_MODE_COUNT,
};

enum fs_memory_call {
    FS_MEMORY_OPEN,
    FS_MEMORY_PREAD,
    FS_MEMORY_PWRITEV,
    FS_MEMORY_FDATASYNC,
    FS_MEMORY_TRUNCATE,
    FS_MEMORY_STAT,
    FS_MEMORY_SYNC_DIRECTORY,
    FS_MEMORY_RENAME,
    FS_MEMORY_UNLINK,
    FS_MEMORY_LIST,
    FS_MEMORY_FREE_SPACE,
    FS_MEMORY_ANY,
    FS_MEMORY_CALL_COUNT,
};

struct fs *fs_memory_new(void);
/* All files must be closed, unless the program under test is thought to have died. Takes and returns NULL. */
struct fs *fs_memory_free(struct fs *fs);

/*
 * The n-th such call from now on (1: the next) ends with `err`, once. One fault at a time; n = 0 takes it
 * back.
 */
void fs_memory_fail(struct fs *fs, enum fs_memory_call call, uint64_t n, enum err err);
/* Whether the fault was met: a sweep over n ends when it was not. */
bool fs_memory_has_failed(const struct fs *fs);
/* Calls of this kind so far. */
uint64_t fs_memory_calls(const struct fs *fs, enum fs_memory_call call);

/*
 * The sum of all file sizes stays below: a write that would grow beyond ends with NO_SPACE. Default: no
 * limit.
 */
void fs_memory_limit(struct fs *fs, uint64_t bytes);
/* While it is cold, a read with no_wait answers AGAIN. */
void fs_memory_set_cold(struct fs *fs, bool is_cold);

/* A hard link, as a backup makes them. */
enum err fs_memory_link(struct fs *fs, const char *from, const char *to) MUST_CHECK;
/* The whole file, appended to `to`; NOT_FOUND. */
enum err fs_memory_read_all(struct fs *fs, const char *path, struct buffer *to) MUST_CHECK;
/*
 * Flips the bits of `mask` in one byte, as a bad disk does. What is there now counts as certain from then
 * on.
 */
void fs_memory_poke(struct fs *fs, const char *path, uint64_t at, uint8_t mask);

/* Operations in the trace: fs_memory_crash knows the state behind each, 0 is before the first. */
uint64_t fs_memory_operations(const struct fs *fs);
/* "17: pwritev segment-1 4096+512", for the words of a failing test. */
const char *fs_memory_describe(const struct fs *fs, uint64_t operation, char text[static 256]);
/*
 * A new file system as a power cut behind the first `operations` of the trace leaves it; nothing in it is
 * unsynced.
 */
struct fs *
fs_memory_crash(struct fs *fs, uint64_t operations, enum fs_memory_mode mode, struct random *random);

#endif
