/* The power cut: replays the trace and lets the mode decide over everything that was not yet synced. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "support/fs_memory_impl.h"

/* How far one file's, or the directory's, operations are certain. */
struct horizon {
    uint64_t certain; /* operations before it are applied, or lost for good */
    uint64_t lost;    /* those before it, from a sync that failed, no later sync makes certain */
};

struct replay {
    const struct fs_memory *source;
    struct fs_memory *target;
    struct horizon *files; /* by inode */
    uint64_t directory;    /* operations on names before it are certain */
    enum fs_memory_mode mode;
    uint64_t seed;
};

/* A number that depends on the seed and on `a` and `b` alone: chance that need not be kept. */
static uint64_t chance(const struct replay *replay, uint64_t a, uint64_t b)
{
    struct random random;
    random_seed(&random, replay->seed ^ (a * 0x9e3779b97f4a7c15U) ^ (b << 40));
    (void)random_u64(&random);
    return random_u64(&random);
}

static bool changes_data(const struct operation *operation, uint32_t inode)
{
    return operation->inode == inode &&
           (operation->kind == OPERATION_WRITE || operation->kind == OPERATION_TRUNCATE);
}

static bool changes_names(const struct operation *operation)
{
    return operation->kind == OPERATION_CREATE || operation->kind == OPERATION_RENAME ||
           operation->kind == OPERATION_UNLINK;
}

static struct image *image_of(struct replay *replay, uint32_t inode)
{
    return &replay->target->inodes[inode]->live;
}

static void apply_data(struct replay *replay, const struct operation *operation, size_t len)
{
    struct image *image = image_of(replay, operation->inode);
    if (operation->kind == OPERATION_TRUNCATE)
        image_resize(image, (size_t)operation->at);
    else
        image_write(image, operation->at, operation->bytes, len);
}

static void apply_name(struct replay *replay, const struct operation *operation)
{
    struct directory *directory = &replay->target->live;
    if (operation->kind == OPERATION_CREATE)
        directory_put(directory, operation->name, operation->inode);
    else if (operation->kind == OPERATION_RENAME)
        directory_rename(directory, operation->name, operation->target);
    else
        directory_remove(directory, operation->name);
}

static void make_data_certain(struct replay *replay, uint32_t inode, uint64_t end)
{
    struct horizon *horizon = &replay->files[inode];
    for (uint64_t i = horizon->certain; i < end; i++) {
        const struct operation *operation = &replay->source->trace[i];
        if (i >= horizon->lost && changes_data(operation, inode))
            apply_data(replay, operation, operation->len);
    }
    horizon->certain = end;
}

static void make_names_certain(struct replay *replay, uint64_t end)
{
    for (uint64_t i = replay->directory; i < end; i++)
        if (changes_names(&replay->source->trace[i]))
            apply_name(replay, &replay->source->trace[i]);
    replay->directory = end;
}

static void replay_syncs(struct replay *replay, uint64_t end)
{
    for (uint64_t i = 0; i < end; i++) {
        const struct operation *operation = &replay->source->trace[i];
        if (operation->kind == OPERATION_SYNC)
            make_data_certain(replay, operation->inode, i);
        else if (operation->kind == OPERATION_SYNC_FAILED)
            replay->files[operation->inode].lost = i;
        else if (operation->kind == OPERATION_SYNC_DIRECTORY)
            make_names_certain(replay, i);
    }
}

/*
 * Applies the sectors of an uncertain write that were written back after it and before the next change of
 * them.
 */
static void
apply_some_sectors(struct replay *replay, const struct operation *operation, uint64_t turn, uint64_t turns)
{
    size_t done = 0;
    while (done < operation->len) {
        uint64_t at = operation->at + done;
        uint64_t sector = at / MEMORY_SECTOR;
        size_t step = MEMORY_SECTOR - (size_t)(at % MEMORY_SECTOR);
        step = step < operation->len - done ? step : operation->len - done;
        /* One version per sector: the first `chance` changes reached the disk, the later ones did not. */
        if (turn < chance(replay, sector, operation->inode) % (turns + 1))
            image_write(image_of(replay, operation->inode), at, operation->bytes + done, step);
        done += step;
    }
}

/* What of a write lies before a sector's edge chosen by chance. */
static size_t torn_len(const struct replay *replay, const struct operation *operation)
{
    uint64_t first = operation->at / MEMORY_SECTOR;
    uint64_t last = (operation->at + operation->len) / MEMORY_SECTOR;
    uint64_t edge =
        (first + chance(replay, operation->at, operation->len) % (last - first + 1)) * MEMORY_SECTOR;
    return edge <= operation->at ? 0 : (size_t)(edge - operation->at);
}

static uint64_t count_uncertain(const struct replay *replay, uint32_t inode, uint64_t end)
{
    uint64_t count = 0;
    for (uint64_t i = replay->files[inode].certain; i < end; i++)
        count += changes_data(&replay->source->trace[i], inode);
    return count;
}

static void decide_data(struct replay *replay, uint32_t inode, uint64_t end)
{
    uint64_t turns = count_uncertain(replay, inode, end);
    uint64_t torn_at = chance(replay, inode, UINT32_MAX) % (turns + 1);
    uint64_t turn = 0;
    for (uint64_t i = replay->files[inode].certain; i < end; i++) {
        const struct operation *operation = &replay->source->trace[i];
        if (!changes_data(operation, inode))
            continue;
        bool is_write = operation->kind == OPERATION_WRITE;
        bool is_whole = replay->mode == FS_MEMORY_KEPT ||
                        (replay->mode == FS_MEMORY_TORN && turn < torn_at) ||
                        (replay->mode == FS_MEMORY_REORDERED && !is_write && chance(replay, i, 1) % 2 == 0);
        if (is_whole)
            apply_data(replay, operation, operation->len);
        else if (replay->mode == FS_MEMORY_TORN && turn == torn_at && is_write)
            apply_data(replay, operation, torn_len(replay, operation));
        else if (replay->mode == FS_MEMORY_REORDERED && is_write)
            apply_some_sectors(replay, operation, turn, turns);
        turn++;
    }
}

static void decide_names(struct replay *replay, uint64_t end)
{
    uint64_t cut = replay->directory + chance(replay, end, 2) % (end - replay->directory + 1);
    for (uint64_t i = replay->directory; i < end; i++) {
        const struct operation *operation = &replay->source->trace[i];
        bool is_kept = replay->mode == FS_MEMORY_KEPT || (replay->mode == FS_MEMORY_TORN && i < cut) ||
                       (replay->mode == FS_MEMORY_REORDERED && chance(replay, i, 3) % 2 == 0);
        if (is_kept && changes_names(operation))
            apply_name(replay, operation);
    }
}

struct fs *
fs_memory_crash(struct fs *fs, uint64_t operations, enum fs_memory_mode mode, struct random *random)
{
    struct fs_memory *source = memory_of(fs);
    check(operations <= source->trace_len && mode < FS_MEMORY_MODE_COUNT);
    struct replay replay = {.source = source, .target = memory_of(fs_memory_new()), .mode = mode};
    replay.seed = random_u64(random);
    replay.target->space = source->space;
    replay.files = calloc(source->inode_count + 1, sizeof *replay.files);
    check(replay.files != NULL);
    directory_copy(&replay.target->live, &source->base);
    for (uint32_t i = 0; i < source->inode_count; i++)
        image_copy(image_of(&replay, memory_add_inode(replay.target)), &source->inodes[i]->base);
    replay_syncs(&replay, operations);
    for (uint32_t i = 0; i < source->inode_count; i++)
        decide_data(&replay, i, operations);
    decide_names(&replay, operations);
    directory_copy(&replay.target->base, &replay.target->live);
    for (uint32_t i = 0; i < source->inode_count; i++)
        image_copy(&replay.target->inodes[i]->base, image_of(&replay, i));
    free(replay.files);
    return &replay.target->fs;
}
