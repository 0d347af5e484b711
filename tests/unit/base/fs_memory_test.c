/* Tests of the file system in memory: what a power cut keeps, drops, tears and reorders. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fs_memory.h"

#include "support/test.h"

enum { SECTOR = 512 };

static struct fs_file *open_file(struct fs *fs, const char *path)
{
    struct fs_file *file = NULL;
    expect_fine(fs_open(fs, path, FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    return file;
}

/* `count` sectors full of `byte`. */
static enum err put_sectors(struct fs_file *file, char byte, size_t count, uint64_t at)
{
    uint8_t bytes[8 * SECTOR];
    memset(bytes, byte, sizeof bytes);
    return fs_pwrite(file, span_of(bytes, count * SECTOR), at);
}

/* The first byte of each sector, as text; "-" when there is no such file. Each sector must be of one byte. */
static const char *sectors(struct fs *fs, const char *path, char text[static 64])
{
    struct buffer bytes;
    buffer_init(&bytes, 64 * SECTOR);
    enum err err = fs_memory_read_all(fs, path, &bytes);
    size_t count = bytes.len / SECTOR;
    expect_equal_u64(bytes.len % SECTOR, 0);
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 1; at < SECTOR; at++)
            expect(bytes.data[i * SECTOR + at] == bytes.data[i * SECTOR]);
        memcpy(&text[i], bytes.data[i * SECTOR] == 0 ? "0" : (const char *)&bytes.data[i * SECTOR], 1);
    }
    text[count] = '\0';
    buffer_done(&bytes);
    return err == ERR_NONE ? text : "-";
}

static void expect_after(struct fs *fs, uint64_t operations, enum fs_memory_mode mode, const char *expected)
{
    char text[64];
    struct random random;
    random_seed(&random, 7);
    struct fs *after = fs_memory_crash(fs, operations, mode, &random);
    expect_equal_text(sectors(after, "a", text), expected);
    after = fs_memory_free(after);
}

TEST(unsynced_writes_are_kept_or_dropped)
{
    struct fs *fs = fs_memory_new();
    struct fs_file *file = open_file(fs, "a");
    expect_fine(fs->ops->sync_directory(fs));
    expect_fine(put_sectors(file, 'x', 2, 0));
    expect_fine(fs_fdatasync(file));
    expect_fine(put_sectors(file, 'y', 2, SECTOR));
    expect_equal_u64(fs_memory_operations(fs), 5);
    expect_after(fs, 5, FS_MEMORY_KEPT, "xyy");
    expect_after(fs, 5, FS_MEMORY_DROPPED, "xx");
    expect_after(fs, 4, FS_MEMORY_KEPT, "xx");
    expect_after(fs, 3, FS_MEMORY_DROPPED, "");
    expect_after(fs, 0, FS_MEMORY_KEPT, "-");
    file = fs_close(file);
    fs = fs_memory_free(fs);
}

TEST(name_is_lost_until_the_directory_is_synced)
{
    struct fs *fs = fs_memory_new();
    struct fs_file *file = open_file(fs, "b");
    expect_fine(put_sectors(file, 'x', 1, 0));
    expect_fine(fs_fdatasync(file));
    expect_fine(fs->ops->rename(fs, "b", "a"));
    expect_after(fs, 4, FS_MEMORY_DROPPED, "-");
    expect_after(fs, 4, FS_MEMORY_KEPT, "x");
    expect_fine(fs->ops->sync_directory(fs));
    expect_after(fs, 5, FS_MEMORY_DROPPED, "x");
    expect_fine(fs->ops->unlink(fs, "a"));
    expect_after(fs, 6, FS_MEMORY_DROPPED, "x");
    expect_after(fs, 6, FS_MEMORY_KEPT, "-");
    file = fs_close(file);
    fs = fs_memory_free(fs);
}

/* Every state that a mode makes of "oooo" overwritten by "aaaa" and then partly by "bb". */
static unsigned count_states(struct fs *fs, enum fs_memory_mode mode, bool (*is_legal)(const char *text))
{
    char seen[64][64];
    unsigned count = 0;
    struct random random;
    random_seed(&random, 1);
    for (unsigned round = 0; round < 500; round++) {
        char text[64];
        struct fs *after = fs_memory_crash(fs, fs_memory_operations(fs), mode, &random);
        if (!is_legal(sectors(after, "a", text)))
            test_fail("%s is no legal state", text);
        after = fs_memory_free(after);
        unsigned i = 0;
        while (i < count && strcmp(seen[i], text) != 0)
            i++;
        if (i == count) {
            memcpy(seen[count], text, sizeof text);
            count++;
        }
    }
    return count;
}

static struct fs *overwritten(void)
{
    struct fs *fs = fs_memory_new();
    struct fs_file *file = open_file(fs, "a");
    expect_fine(put_sectors(file, 'o', 4, 0));
    expect_fine(fs_fdatasync(file));
    expect_fine(fs->ops->sync_directory(fs));
    expect_fine(put_sectors(file, 'a', 4, 0));
    expect_fine(put_sectors(file, 'b', 2, SECTOR));
    file = fs_close(file);
    return fs;
}

static bool is_in_order(const char *text)
{
    static const char *const legal[] = {"oooo", "aooo", "aaoo", "aaao", "aaaa", "abaa", "abba"};
    for (size_t i = 0; i < sizeof legal / sizeof legal[0]; i++)
        if (strcmp(text, legal[i]) == 0)
            return true;
    return false;
}

TEST(torn_writes_are_a_prefix_in_sectors)
{
    struct fs *fs = overwritten();
    expect_equal_u64(count_states(fs, FS_MEMORY_TORN, is_in_order), 7);
    fs = fs_memory_free(fs);
}

static bool is_some_version(const char *text)
{
    return strlen(text) == 4 && strspn(text, "oa") >= 1 && strspn(text + 1, "oab") >= 2 &&
           strspn(text + 3, "oa") == 1;
}

TEST(reordered_writes_leave_any_version_of_each_sector)
{
    struct fs *fs = overwritten();
    expect_equal_u64(count_states(fs, FS_MEMORY_REORDERED, is_some_version), 36);
    fs = fs_memory_free(fs);
}

TEST(bytes_of_a_failed_sync_are_never_certain_again)
{
    struct fs *fs = fs_memory_new();
    struct fs_file *file = open_file(fs, "a");
    expect_fine(fs->ops->sync_directory(fs));
    expect_fine(put_sectors(file, 'x', 1, 0));
    fs_memory_fail(fs, FS_MEMORY_FDATASYNC, 1, ERR_IO);
    expect_err(fs_fdatasync(file), ERR_IO);
    expect(fs_memory_has_failed(fs));
    expect_after(fs, 4, FS_MEMORY_KEPT, "x");
    expect_fine(fs_fdatasync(file));
    expect_after(fs, 5, FS_MEMORY_KEPT, "");
    file = fs_close(file);
    fs = fs_memory_free(fs);
}

TEST(failed_write_leaves_its_first_half)
{
    struct fs *fs = fs_memory_new();
    struct fs_file *file = open_file(fs, "a");
    fs_memory_fail(fs, FS_MEMORY_ANY, 2, ERR_IO);
    expect_fine(put_sectors(file, 'x', 4, 0));
    expect_err(put_sectors(file, 'y', 4, 0), ERR_IO);
    expect_fine(put_sectors(file, 'z', 1, 4 * SECTOR));
    char text[64];
    expect_equal_text(sectors(fs, "a", text), "yyxxz");
    file = fs_close(file);
    fs = fs_memory_free(fs);
}

TEST(full_file_system_refuses_growth_only)
{
    struct fs *fs = fs_memory_new();
    fs_memory_limit(fs, 3 * SECTOR);
    struct fs_file *file = open_file(fs, "a");
    expect_fine(put_sectors(file, 'x', 2, 0));
    expect_err(put_sectors(file, 'y', 2, 2 * SECTOR), ERR_NO_SPACE);
    expect_fine(put_sectors(file, 'y', 2, 0));
    uint64_t free_bytes = 0;
    expect_fine(fs->ops->free_space(fs, &free_bytes));
    expect_equal_u64(free_bytes, SECTOR);
    fs_memory_limit(fs, 4 * SECTOR);
    expect_fine(put_sectors(file, 'y', 2, 2 * SECTOR));
    file = fs_close(file);
    fs = fs_memory_free(fs);
}

TEST(hard_link_keeps_the_bytes_and_is_counted)
{
    struct fs *fs = fs_memory_new();
    struct fs_file *file = open_file(fs, "a");
    expect_fine(put_sectors(file, 'x', 1, 0));
    expect_fine(fs_memory_link(fs, "a", "b"));
    struct fs_stat stat;
    expect_fine(file->ops->stat(file, &stat));
    expect_equal_u64(stat.links, 2);
    expect_fine(fs->ops->unlink(fs, "a"));
    char text[64];
    expect_equal_text(sectors(fs, "b", text), "x");
    expect_err(fs_memory_link(fs, "a", "c"), ERR_NOT_FOUND);
    file = fs_close(file);
    fs = fs_memory_free(fs);
}

TEST(poke_survives_a_power_cut)
{
    struct fs *fs = overwritten();
    fs_memory_poke(fs, "a", 0, 0x10);
    expect_equal_u64(fs_memory_operations(fs), 0);
    struct fs *after = fs_memory_crash(fs, 0, FS_MEMORY_DROPPED, NULL);
    struct fs_file *file = NULL;
    expect_fine(fs_open(after, "a", FS_OPEN_READ, &file));
    char byte = 0;
    size_t len = 0;
    expect_fine(fs_pread(file, &byte, 1, 0, &len));
    expect(byte == ('a' ^ 0x10));
    file = fs_close(file);
    after = fs_memory_free(after);
    fs = fs_memory_free(fs);
}

TEST(second_power_cut_starts_from_the_first)
{
    struct fs *fs = overwritten();
    struct fs *after = fs_memory_crash(fs, fs_memory_operations(fs), FS_MEMORY_DROPPED, NULL);
    struct fs_file *file = open_file(after, "a");
    expect_fine(put_sectors(file, 'z', 1, 3 * SECTOR));
    expect_after(after, 1, FS_MEMORY_KEPT, "oooz");
    expect_after(after, 1, FS_MEMORY_DROPPED, "oooo");
    file = fs_close(file);
    after = fs_memory_free(after);
    fs = fs_memory_free(fs);
}

TEST(cold_read_without_waiting_answers_again)
{
    struct fs *fs = overwritten();
    struct fs_file *file = NULL;
    expect_fine(fs_open(fs, "a", FS_OPEN_READ, &file));
    fs_memory_set_cold(fs, true);
    uint8_t byte;
    size_t len;
    expect_err(file->ops->pread(file, &byte, 1, 0, true, &len), ERR_AGAIN);
    expect_fine(file->ops->pread(file, &byte, 1, 0, false, &len));
    expect_equal_u64(fs_memory_calls(fs, FS_MEMORY_PREAD), 2);
    char text[256];
    expect_equal_text(fs_memory_describe(fs, 5, text), "5: pwritev a 512+1024");
    file = fs_close(file);
    fs = fs_memory_free(fs);
}

TEST_MAIN(unsynced_writes_are_kept_or_dropped,
          name_is_lost_until_the_directory_is_synced,
          torn_writes_are_a_prefix_in_sectors,
          reordered_writes_leave_any_version_of_each_sector,
          bytes_of_a_failed_sync_are_never_certain_again,
          failed_write_leaves_its_first_half,
          full_file_system_refuses_growth_only,
          hard_link_keeps_the_bytes_and_is_counted,
          poke_survives_a_power_cut,
          second_power_cut_starts_from_the_first,
          cold_read_without_waiting_answers_again)
