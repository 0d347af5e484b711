/* Memory runs out: whichever allocation of the journal fails, it neither crashes nor calls stored what is not. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/journal_model.h"
#include "support/test.h"

/*
 * The linker gives the program's calls of malloc, calloc and realloc to the functions below (tests/meson.build). The file
 * system in memory must not run out itself: its functions that allocate are called with the fault put off.
 */
enum { APPENDS_BEFORE = 70, APPENDS_BEHIND = 50 };

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/* Rule zero: the functions that the linker calls have no other way to know. */
static struct {
    uint64_t fails_in; /* allocations; 0: none fails */
    unsigned put_off;
    bool was_met;
} fault;

static bool fails(void)
{
    if (fault.put_off > 0 || fault.fails_in == 0 || --fault.fails_in > 0)
        return false;
    fault.was_met = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

/* --- A file system that has memory -------------------------------------------------------------------- */

static const struct fs_ops *inner;

static enum err spared_open(struct fs *fs, const char *path, unsigned flags, struct fs_file **ret_file)
{
    fault.put_off++;
    enum err err = inner->open(fs, path, flags, ret_file);
    fault.put_off--;
    return err;
}

static enum err spared_pwritev(struct fs_file *file, const struct iovec *parts, int count, uint64_t at)
{
    fault.put_off++;
    enum err err = inner->pwritev(file, parts, count, at);
    fault.put_off--;
    return err;
}

static enum err spared_fdatasync(struct fs_file *file)
{
    fault.put_off++;
    enum err err = inner->fdatasync(file);
    fault.put_off--;
    return err;
}

static enum err spared_sync_directory(struct fs *fs)
{
    fault.put_off++;
    enum err err = inner->sync_directory(fs);
    fault.put_off--;
    return err;
}

static enum err spared_rename(struct fs *fs, const char *from, const char *to)
{
    fault.put_off++;
    enum err err = inner->rename(fs, from, to);
    fault.put_off--;
    return err;
}

static enum err spared_unlink(struct fs *fs, const char *path)
{
    fault.put_off++;
    enum err err = inner->unlink(fs, path);
    fault.put_off--;
    return err;
}

struct listing {
    void (*on_name)(void *owner, const char *name);
    void *owner;
};

/* What the journal does with a name is not spared. */
static void on_name(void *owner, const char *name)
{
    const struct listing *listing = owner;
    fault.put_off--;
    listing->on_name(listing->owner, name);
    fault.put_off++;
}

static enum err spared_list(struct fs *fs, void (*on_each)(void *owner, const char *name), void *owner)
{
    struct listing listing = {on_each, owner};
    fault.put_off++;
    enum err err = inner->list(fs, on_name, &listing);
    fault.put_off--;
    return err;
}

static struct fs_ops spare(struct fs *fs)
{
    inner = fs->ops;
    struct fs_ops ops = *inner;
    ops.open = spared_open;
    ops.pwritev = spared_pwritev;
    ops.fdatasync = spared_fdatasync;
    ops.sync_directory = spared_sync_directory;
    ops.rename = spared_rename;
    ops.unlink = spared_unlink;
    ops.list = spared_list;
    return ops;
}

/* --- The run --------------------------------------------------------------------------------------------- */

static void use_few_segments(struct journal_bench *bench)
{
    bench->settings.segment_size = JOURNAL_BENCH_SEGMENT / 2;
    bench->settings.record_size_max = JOURNAL_BENCH_SEGMENT / 16;
    bench->settings.append_size_max = JOURNAL_BENCH_SEGMENT / 8;
    bench->settings.size_max = 2 * JOURNAL_BENCH_SEGMENT;
}

static void live(struct journal_model *model, uint32_t from, uint32_t count)
{
    for (uint32_t shape = from; shape < from + count; shape++) {
        enum err err = ERR_NONE;
        if (journal_model_size_of(shape) <= model->bench->settings.append_size_max)
            err = journal_model_submit(model, shape);
        if (err != ERR_NONE && err != ERR_BROKEN && err != ERR_MEMORY)
            test_fail("%s: append: %s", model->where, err_name(err));
        journal_bench_rest(model->bench);
    }
    journal_bench_rest(model->bench);
    if (model->pending > 0)
        test_fail("%s: %u appends got no answer", model->where, model->pending);
}

static void open_in_spite(struct journal_bench *bench)
{
    if (journal_bench_try_open(bench) == ERR_NONE)
        return;
    expect(fault.was_met);
    journal_bench_open(bench);
}

/* Comparing allocates too, and is spared. */
static void compare(struct journal_model *model)
{
    fault.put_off++;
    journal_model_check(model, fs_memory_operations(model->bench->fs));
    fault.put_off--;
}

static void cut_power(const struct journal_model *from, uint64_t seed)
{
    struct journal_bench bench;
    struct journal_model model;
    struct random random;
    random_seed(&random, seed);
    uint64_t operations = fs_memory_operations(from->bench->fs);
    journal_bench_init_on(&bench, fs_memory_crash(from->bench->fs, operations, FS_MEMORY_DROPPED, &random),
                          seed);
    use_few_segments(&bench);
    journal_model_copy(&model, from, operations, &bench);
    (void)snprintf(model.where, sizeof model.where, "%.200s, then a power cut", from->where);
    journal_bench_open(&bench);
    expect_equal_u64(journal_recovery(bench.journal)->damaged_ranges, 0);
    journal_model_check(&model, 0);
    journal_model_done(&model);
    journal_bench_done(&bench);
}

static bool fail_one(uint64_t n, uint64_t seed)
{
    struct journal_bench bench;
    struct journal_model model;
    journal_bench_init(&bench, seed);
    struct fs_ops ops = spare(bench.fs);
    bench.fs->ops = &ops;
    use_few_segments(&bench);
    journal_model_init(&model, &bench);
    (void)snprintf(model.where, sizeof model.where, "seed %llu, allocation %llu fails",
                   (unsigned long long)seed, (unsigned long long)n);
    fault.fails_in = n;
    fault.was_met = false;
    open_in_spite(&bench);
    live(&model, 0, APPENDS_BEFORE);
    journal_bench_close(&bench);
    open_in_spite(&bench);
    compare(&model);
    journal_model_settle(&model);
    live(&model, APPENDS_BEFORE, APPENDS_BEHIND);
    fault.fails_in = 0;
    compare(&model);
    bench.fs->ops = inner;
    cut_power(&model, seed);
    journal_model_done(&model);
    journal_bench_done(&bench);
    return fault.was_met;
}

TEST(whichever_allocation_fails_nothing_that_was_acknowledged_is_lost)
{
    uint64_t seed = test_number_from_environment("WAYBILL_SEED", (uint64_t)time(NULL));
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t n = 1;
    while (fail_one(n, seed))
        n += test_number_from_environment("WAYBILL_SPARSE", 1);
    print_message("%llu allocations\n", (unsigned long long)(n - 1));
    expect(n > 100);
}

TEST_MAIN(whichever_allocation_fails_nothing_that_was_acknowledged_is_lost)
