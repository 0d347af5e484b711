/* Gives any bytes to the reader of index files, with the checksums of the blocks made right. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/list.h"
#include "fuzz/fuzz.h"
#include "journal/index_file.h"
#include "journal/index_layout.h"

enum { NUMBER = 1, EPOCH = 1, SIZE = 8 };

/* A file system with one file, which can only be read. */
struct one_file {
    struct fs fs;
    struct fs_file file;
    uint8_t *bytes;
    size_t len;
};

static enum err one_open(struct fs *fs, const char *path, unsigned flags, struct fs_file **ret_file)
{
    (void)path;
    (void)flags;
    *ret_file = &LIST_OWNER(fs, struct one_file, fs)->file;
    return ERR_NONE;
}

static void one_close(struct fs_file *file)
{
    (void)file;
}

static enum err
one_pread(struct fs_file *file, void *to, size_t size, uint64_t at, bool no_wait, size_t *ret_len)
{
    const struct one_file *one = LIST_OWNER(file, struct one_file, file);
    (void)no_wait;
    size_t rest = at < one->len ? one->len - (size_t)at : 0;
    *ret_len = rest < size ? rest : size;
    if (*ret_len > 0)
        memcpy(to, one->bytes + at, *ret_len);
    return ERR_NONE;
}

static enum err one_stat(struct fs_file *file, struct fs_stat *ret_stat)
{
    *ret_stat =
        (struct fs_stat){.size = LIST_OWNER(file, struct one_file, file)->len, .links = 1, .is_plain = true};
    return ERR_NONE;
}

static const struct fs_ops one_ops = {
    .open = one_open, .close = one_close, .pread = one_pread, .stat = one_stat};

static void ask_for_extents(void *owner, const struct index_partition *partition)
{
    const struct index_file *file = owner;
    struct index_partition found;
    struct index_extent extents[SIZE];
    uint32_t count = 0;
    (void)!index_file_partition(file, partition->topic, partition->partition, &found);
    (void)!index_file_extents_from(file, partition, partition->summary.first_offset + 1, extents, SIZE,
                                   &count);
    check(count <= SIZE);
    (void)!index_file_extent_at_time(file, partition, partition->summary.last_ns, extents);
}

static void see_identity(void *owner, const struct index_identity *identity)
{
    (void)owner;
    (void)identity;
}

static void
ask_for_numbers(const struct index_file *file, const struct index_sequence *sequence, uint64_t number)
{
    uint32_t positions[SIZE];
    uint32_t count = 0;
    bool is_there = false;
    struct store_run runs[SIZE];
    struct run_merge merge;
    (void)!index_file_has(file, sequence, number, &is_there);
    (void)!index_file_positions(file, sequence, number, positions, SIZE, &count);
    check(count <= SIZE);
    run_merge_init(&merge, number, sequence->highest, runs, SIZE);
    (void)!index_file_collect(file, sequence, &merge);
    for (uint32_t i = 0; i < merge.count; i++)
        check(runs[i].from >= number && (i == 0 || runs[i].from > runs[i - 1].from + runs[i - 1].count));
}

static void ask_for_place(const struct index_file *file, uint32_t sequence, uint64_t number)
{
    struct place_found found[SIZE];
    uint32_t count = 0;
    (void)!index_file_places(file, sequence, number, found, SIZE, &count);
    check(count <= SIZE);
}

static void ask_for_outcome(const struct index_file *file, uint32_t group, uint64_t offset)
{
    struct outcome_mark mark;
    struct outcome_key key = {group, 0, 0};
    if (index_file_outcome(file, &key, offset, &mark) == ERR_NONE)
        check(outcome_mark_fate(&mark, offset).outcome != STORE_OUTCOME_OPEN);
}

static void ask_for_places(const struct index_file *file)
{
    for (uint32_t i = 0; i < SIZE; i++) {
        for (uint64_t number = 0; number < 300; number += 7) {
            ask_for_place(file, i, number);
            ask_for_outcome(file, i, number);
        }
        ask_for_place(file, i, UINT64_MAX);
        ask_for_outcome(file, i, UINT64_MAX);
    }
}

static void ask_all(const struct index_file *file)
{
    (void)!index_file_verify(file);
    (void)!index_file_each_partition(file, ask_for_extents, (void *)(uintptr_t)file);
    (void)!index_file_each_identity(file, see_identity, NULL);
    ask_for_places(file);
    for (uint32_t i = 0; i < SEGMENT_INDEX_SEQUENCES_MAX; i++) {
        struct index_sequence sequence;
        if (index_file_sequence(file, i, &sequence) != ERR_NONE)
            continue;
        ask_for_numbers(file, &sequence, sequence.lowest);
        ask_for_numbers(file, &sequence, sequence.lowest / 2 + sequence.highest / 2);
        ask_for_numbers(file, &sequence, sequence.highest);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct one_file one = {
        .fs = {&one_ops}, .file = {&one_ops}, .len = size / INDEX_BLOCK_SIZE * INDEX_BLOCK_SIZE};
    one.bytes = malloc(one.len);
    check(one.len == 0 || one.bytes != NULL);
    const struct index_layout life = {.number = NUMBER, .epoch = EPOCH};
    for (size_t at = 0; at < one.len; at += INDEX_BLOCK_SIZE) {
        memcpy(one.bytes + at, data + at, INDEX_BLOCK_SIZE);
        index_block_seal(one.bytes + at, &life, (uint32_t)(at / INDEX_BLOCK_SIZE));
    }
    struct index_file *file = NULL;
    if (index_file_open(&one.fs, NUMBER, EPOCH, &file) == ERR_NONE)
        ask_all(file);
    file = index_file_close(file);
    free(one.bytes);
    return 0;
}
