/* Tests of the kernel's files in a directory of their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "support/test.h"

struct place {
    char directory[64];
    struct fs *fs;
};

static void place_init_in(struct place *place, const char *parent)
{
    (void)snprintf(place->directory, sizeof place->directory, "%s/fs_linux_test.XXXXXX", parent);
    expect_not_null(mkdtemp(place->directory));
    expect_fine(fs_linux_new(place->directory, &place->fs));
}

static void place_init(struct place *place)
{
    place_init_in(place, "/tmp");
}

static void remove_name(void *owner, const char *name)
{
    expect_fine(((struct fs *)owner)->ops->unlink(owner, name));
}

static void place_done(struct place *place)
{
    expect_fine(place->fs->ops->list(place->fs, remove_name, place->fs));
    place->fs = fs_linux_free(place->fs);
    expect(rmdir(place->directory) == 0);
}

TEST(bytes_and_names_survive)
{
    struct place place;
    struct fs_file *file = NULL;
    place_init(&place);
    expect_err(fs_open(place.fs, "a", FS_OPEN_WRITE, &file), ERR_NOT_FOUND);
    expect_fine(fs_open(place.fs, "a", FS_OPEN_WRITE | FS_OPEN_CREATE | FS_OPEN_EXCLUSIVE, &file));
    expect_fine(fs_pwrite(file, span_from_text("0123456789"), 5));
    expect_fine(fs_fdatasync(file));
    expect_fine(file->ops->truncate(file, 12));
    char bytes[20];
    size_t len = 0;
    expect_fine(fs_pread(file, bytes, sizeof bytes, 3, &len));
    expect_equal_span(span_of(bytes, len), span_of("\0\0"
                                                   "0123456",
                                                   9));
    struct fs_stat stat;
    expect_fine(file->ops->stat(file, &stat));
    expect_equal_u64(stat.size, 12);
    expect_equal_u64(stat.links, 1);
    file = fs_close(file);
    expect_fine(place.fs->ops->rename(place.fs, "a", "b"));
    expect_fine(place.fs->ops->sync_directory(place.fs));
    expect_err(fs_open(place.fs, "b", FS_OPEN_WRITE | FS_OPEN_CREATE | FS_OPEN_EXCLUSIVE, &file), ERR_EXISTS);
    place_done(&place);
}

TEST(a_file_keeps_its_inode_under_another_name)
{
    struct place place;
    struct fs_file *file = NULL;
    struct fs_stat before;
    struct fs_stat after;
    place_init(&place);
    expect_fine(fs_open(place.fs, "a", FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    expect_fine(file->ops->stat(file, &before));
    file = fs_close(file);
    expect(before.is_plain);
    expect_fine(place.fs->ops->rename(place.fs, "a", "b"));
    expect_fine(fs_open(place.fs, "b", FS_OPEN_READ, &file));
    expect_fine(file->ops->stat(file, &after));
    file = fs_close(file);
    expect_equal_u64(after.inode, before.inode);
    place_done(&place);
}

TEST(a_pipe_is_opened_without_waiting_and_told_from_a_file)
{
    struct place place;
    struct fs_file *file = NULL;
    struct fs_stat stat;
    char path[300];
    place_init(&place);
    (void)snprintf(path, sizeof path, "%s/pipe", place.directory);
    expect(mkfifo(path, 0600) == 0);
    expect_fine(fs_open(place.fs, "pipe", FS_OPEN_READ, &file));
    expect_fine(file->ops->stat(file, &stat));
    expect(!stat.is_plain);
    file = fs_close(file);
    expect(unlink(path) == 0);
    place_done(&place);
}

TEST(write_of_many_parts_is_whole)
{
    struct place place;
    struct fs_file *file = NULL;
    static uint8_t bytes[IOV_MAX];
    static struct iovec parts[IOV_MAX];
    place_init(&place);
    for (int i = 0; i < IOV_MAX; i++) {
        bytes[i] = (uint8_t)(i * 7);
        parts[i] = (struct iovec){&bytes[i], 1};
    }
    expect_fine(fs_open(place.fs, "a", FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    expect_fine(file->ops->pwritev(file, parts, IOV_MAX, 0));
    static uint8_t back[IOV_MAX];
    size_t len = 0;
    expect_fine(fs_pread(file, back, sizeof back, 0, &len));
    expect_equal_span(span_of(back, len), span_of(bytes, sizeof bytes));
    file = fs_close(file);
    place_done(&place);
}

/* tmpfs knows nothing of waiting, and says so. */
TEST(read_that_must_not_wait_is_put_off_where_the_file_system_cannot_tell)
{
    struct place place;
    struct fs_file *file = NULL;
    char back[8];
    size_t len = 0;
    place_init_in(&place, "/dev/shm");
    expect_fine(fs_open(place.fs, "a", FS_OPEN_WRITE | FS_OPEN_CREATE, &file));
    expect_fine(fs_pwrite(file, span_from_text("bytes"), 0));
    enum err err = file->ops->pread(file, back, sizeof back, 0, true, &len);
    expect(err == ERR_AGAIN || (err == ERR_NONE && len == 5));
    file = fs_close(file);
    place_done(&place);
}

TEST(directory_is_locked_for_one)
{
    struct place place;
    struct fs *other = NULL;
    place_init(&place);
    expect_fine(fs_linux_lock(place.fs, "lock"));
    expect_fine(fs_linux_new(place.directory, &other));
    expect_err(fs_linux_lock(other, "lock"), ERR_IN_USE);
    place.fs = fs_linux_free(place.fs);
    expect_fine(fs_linux_lock(other, "lock"));
    place.fs = other;
    place_done(&place);
}

TEST(full_device_is_no_space)
{
    struct fs *fs = NULL;
    struct fs_file *file = NULL;
    expect_fine(fs_linux_new("/dev", &fs));
    expect_fine(fs_open(fs, "full", FS_OPEN_WRITE, &file));
    expect_err(fs_pwrite(file, span_from_text("x"), 0), ERR_NO_SPACE);
    file = fs_close(file);
    fs = fs_linux_free(fs);
    expect_err(fs_linux_new("/nowhere/at/all", &fs), ERR_NOT_FOUND);
}

TEST_MAIN(bytes_and_names_survive,
          a_file_keeps_its_inode_under_another_name,
          a_pipe_is_opened_without_waiting_and_told_from_a_file,
          write_of_many_parts_is_whole,
          read_that_must_not_wait_is_put_off_where_the_file_system_cannot_tell,
          directory_is_locked_for_one,
          full_device_is_no_space)
