/* The kernel's files, below one directory. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/list.h"

struct fs_linux {
    struct fs fs;
    int directory;
    int lock; /* -1: not taken */
};

struct file_linux {
    struct fs_file file;
    int fd;
};

static struct fs_linux *fs_of(struct fs *fs)
{
    return LIST_OWNER(fs, struct fs_linux, fs);
}

static struct file_linux *file_of(struct fs_file *file)
{
    return LIST_OWNER(file, struct file_linux, file);
}

static enum err linux_open(struct fs *fs, const char *path, unsigned flags, struct fs_file **ret_file)
{
    /* Plain files do not care; a pipe in the place of one must not hold up who opens it. */
    int how = O_CLOEXEC | O_NONBLOCK | ((flags & FS_OPEN_WRITE) != 0 ? O_RDWR : O_RDONLY);
    how |= (flags & FS_OPEN_CREATE) != 0 ? O_CREAT : 0;
    how |= (flags & FS_OPEN_EXCLUSIVE) != 0 ? O_EXCL : 0;
    int fd = openat(fs_of(fs)->directory, path, how, 0600);
    if (fd < 0)
        return err_from_errno(errno);
    struct file_linux *file = malloc(sizeof *file);
    if (file == NULL) {
        (void)close(fd);
        return ERR_MEMORY;
    }
    *file = (struct file_linux){{fs->ops}, fd};
    *ret_file = &file->file;
    return ERR_NONE;
}

static void linux_close(struct fs_file *file)
{
    (void)close(file_of(file)->fd);
    free(file_of(file));
}

static enum err
linux_pread(struct fs_file *file, void *to, size_t size, uint64_t at, bool no_wait, size_t *ret_len)
{
    size_t len = 0;
    while (len < size) {
        struct iovec part = {(uint8_t *)to + len, size - len};
        ssize_t got = preadv2(file_of(file)->fd, &part, 1, (off_t)(at + len), no_wait ? RWF_NOWAIT : 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && no_wait && (errno == EAGAIN || errno == EOPNOTSUPP))
            return ERR_AGAIN; /* not every file system can tell: tmpfs */
        if (got < 0)
            return err_from_errno(errno);
        if (got == 0)
            break;
        len += (size_t)got;
    }
    *ret_len = len;
    return ERR_NONE;
}

/* The parts that remain behind `done` bytes; at most IOV_MAX of them. */
static int parts_after(const struct iovec *parts, int count, size_t done, struct iovec *rest)
{
    int taken = 0;
    for (int i = 0; i < count && taken < IOV_MAX; i++) {
        if (done >= parts[i].iov_len) {
            done -= parts[i].iov_len;
            continue;
        }
        rest[taken++] = (struct iovec){(uint8_t *)parts[i].iov_base + done, parts[i].iov_len - done};
        done = 0;
    }
    return taken;
}

static enum err linux_pwritev(struct fs_file *file, const struct iovec *parts, int count, uint64_t at)
{
    check(count > 0 && count <= IOV_MAX);
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    ssize_t put = pwritev(file_of(file)->fd, parts, count, (off_t)at);
    size_t done = put > 0 ? (size_t)put : 0;
    while (done < total) { /* interrupted or short: rare */
        if (put < 0 && errno != EINTR)
            return err_from_errno(errno);
        struct iovec rest[64];
        int left = count;
        int first = 0;
        size_t skipped = 0;
        while (skipped + parts[first].iov_len <= done)
            skipped += parts[first++].iov_len;
        left = count - first < 64 ? count - first : 64;
        int taken = parts_after(parts + first, left, done - skipped, rest);
        put = pwritev(file_of(file)->fd, rest, taken, (off_t)(at + done));
        if (put == 0)
            return ERR_IO;
        done += put > 0 ? (size_t)put : 0;
    }
    return ERR_NONE;
}

static enum err linux_fdatasync(struct fs_file *file)
{
    return fdatasync(file_of(file)->fd) == 0 ? ERR_NONE : err_from_errno(errno);
}

static enum err linux_truncate(struct fs_file *file, uint64_t size)
{
    return ftruncate(file_of(file)->fd, (off_t)size) == 0 ? ERR_NONE : err_from_errno(errno);
}

static enum err linux_stat(struct fs_file *file, struct fs_stat *ret_stat)
{
    struct stat stat;
    if (fstat(file_of(file)->fd, &stat) != 0)
        return err_from_errno(errno);
    *ret_stat = (struct fs_stat){.size = (uint64_t)stat.st_size,
                                 .links = stat.st_nlink,
                                 .inode = stat.st_ino,
                                 .is_plain = S_ISREG(stat.st_mode)};
    return ERR_NONE;
}

static void linux_will_need(struct fs_file *file, uint64_t at, uint64_t len)
{
    (void)posix_fadvise(file_of(file)->fd, (off_t)at, (off_t)len, POSIX_FADV_WILLNEED);
}

static enum err linux_sync_directory(struct fs *fs)
{
    return fsync(fs_of(fs)->directory) == 0 ? ERR_NONE : err_from_errno(errno);
}

static enum err linux_rename(struct fs *fs, const char *from, const char *to)
{
    int directory = fs_of(fs)->directory;
    return renameat(directory, from, directory, to) == 0 ? ERR_NONE : err_from_errno(errno);
}

static enum err linux_unlink(struct fs *fs, const char *path)
{
    return unlinkat(fs_of(fs)->directory, path, 0) == 0 ? ERR_NONE : err_from_errno(errno);
}

static enum err linux_list(struct fs *fs, void (*on_name)(void *owner, const char *name), void *owner)
{
    int fd = openat(fs_of(fs)->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_from_errno(errno);
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        (void)close(fd);
        return ERR_MEMORY;
    }
    errno = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL; errno = 0)
        if (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN)
            on_name(owner, entry->d_name);
    enum err err = err_from_errno(errno);
    (void)closedir(directory);
    return err;
}

static enum err linux_free_space(struct fs *fs, uint64_t *ret_bytes)
{
    struct statvfs stat;
    if (fstatvfs(fs_of(fs)->directory, &stat) != 0)
        return err_from_errno(errno);
    *ret_bytes = (uint64_t)stat.f_bavail * stat.f_frsize;
    return ERR_NONE;
}

static const struct fs_ops ops = {
    .open = linux_open,
    .close = linux_close,
    .pread = linux_pread,
    .pwritev = linux_pwritev,
    .fdatasync = linux_fdatasync,
    .truncate = linux_truncate,
    .stat = linux_stat,
    .will_need = linux_will_need,
    .sync_directory = linux_sync_directory,
    .rename = linux_rename,
    .unlink = linux_unlink,
    .list = linux_list,
    .free_space = linux_free_space,
};

enum err fs_linux_new(const char *directory, struct fs **ret_fs)
{
    struct fs_linux *fs = malloc(sizeof *fs);
    if (fs == NULL)
        return ERR_MEMORY;
    *fs = (struct fs_linux){{&ops}, open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), -1};
    if (fs->directory < 0) {
        enum err err = err_from_errno(errno);
        free(fs);
        return err;
    }
    *ret_fs = &fs->fs;
    return ERR_NONE;
}

struct fs *fs_linux_free(struct fs *fs)
{
    if (fs == NULL)
        return NULL;
    if (fs_of(fs)->lock >= 0)
        (void)close(fs_of(fs)->lock);
    (void)close(fs_of(fs)->directory);
    free(fs_of(fs));
    return NULL;
}

enum err fs_linux_lock(struct fs *fs, const char *path)
{
    check(fs_of(fs)->lock < 0);
    int fd = openat(fs_of(fs)->directory, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_from_errno(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum err err = errno == EWOULDBLOCK ? ERR_IN_USE : err_from_errno(errno);
        (void)close(fd);
        return err;
    }
    fs_of(fs)->lock = fd;
    return ERR_NONE;
}
