/* The seam to files: what the journal may ask of a file system, and nothing else. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <stdbool.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/span.h"

struct fs;
struct fs_file; /* an open file; each implementation embeds it */

enum fs_open_flags {
    FS_OPEN_READ = 0,
    FS_OPEN_WRITE = 1,     /* read and write; must exist */
    FS_OPEN_CREATE = 2,    /* with WRITE: created when absent */
    FS_OPEN_EXCLUSIVE = 4, /* with CREATE: EXISTS when there */
};

struct fs_stat {
    uint64_t size;
    uint64_t links;
    uint64_t inode; /* the file under whatever name; given anew once it is gone */
    bool is_plain;  /* no pipe, directory, device */
};

/* Paths are relative to the fs's own directory. Errors: those of err_from_errno. */
struct fs_ops {
    enum err (*open)(struct fs *fs, const char *path, unsigned flags, struct fs_file **ret_file);
    void (*close)(struct fs_file *file);
    /* Short only at the end of the file. `no_wait`: AGAIN instead of waiting for the disk. */
    enum err (*pread)(
        struct fs_file *file, void *to, size_t size, uint64_t at, bool no_wait, size_t *ret_len);
    /* All of it or an error. */
    enum err (*pwritev)(struct fs_file *file, const struct iovec *parts, int count, uint64_t at);
    enum err (*fdatasync)(struct fs_file *file);
    enum err (*truncate)(struct fs_file *file, uint64_t size);
    enum err (*stat)(struct fs_file *file, struct fs_stat *ret_stat);
    void (*will_need)(struct fs_file *file, uint64_t at, uint64_t len); /* a hint to read ahead */
    enum err (*sync_directory)(struct fs *fs);
    enum err (*rename)(struct fs *fs, const char *from, const char *to);
    enum err (*unlink)(struct fs *fs, const char *path);
    /* Calls `on_name` for each plain file, in no order. */
    enum err (*list)(struct fs *fs, void (*on_name)(void *owner, const char *name), void *owner);
    enum err (*free_space)(struct fs *fs, uint64_t *ret_bytes);
};

struct fs {
    const struct fs_ops *ops;
};

struct fs_file {
    const struct fs_ops *ops;
};

static inline enum err fs_open(struct fs *fs, const char *path, unsigned flags, struct fs_file **ret_file)
{
    return fs->ops->open(fs, path, flags, ret_file);
}

/* Takes NULL; returns NULL. */
static inline struct fs_file *fs_close(struct fs_file *file)
{
    if (file != NULL)
        file->ops->close(file);
    return NULL;
}

static inline enum err fs_pread(struct fs_file *file, void *to, size_t size, uint64_t at, size_t *ret_len)
{
    return file->ops->pread(file, to, size, at, false, ret_len);
}

static inline enum err fs_pwrite(struct fs_file *file, struct span bytes, uint64_t at)
{
    struct iovec part = {(void *)(uintptr_t)bytes.data, bytes.len};
    return file->ops->pwritev(file, &part, 1, at);
}

static inline enum err fs_fdatasync(struct fs_file *file)
{
    return file->ops->fdatasync(file);
}

/* The kernel's files below `directory` (must exist; absolute or relative to the working directory). */
enum err fs_linux_new(const char *directory, struct fs **ret_fs) MUST_CHECK;
/* All its files must be closed. Returns NULL. */
struct fs *fs_linux_free(struct fs *fs);
/*
 * Takes the directory for this process by flock on `path` in it, until the fs is freed; IN_USE when
 * another has it.
 */
enum err fs_linux_lock(struct fs *fs, const char *path) MUST_CHECK;

#endif
