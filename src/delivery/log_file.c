/* A growing file of lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/log_file.h"

#include <stdio.h>

enum { TAIL_PIECE = 4096 };

void log_file_init(struct log_file *log, struct fs *fs, const char *name)
{
    *log = (struct log_file){.fs = fs};
    (void)snprintf(log->name, sizeof log->name, "%s", name);
}

void log_file_close(struct log_file *log)
{
    log->file = fs_close(log->file);
}

void log_file_forget(struct log_file *log)
{
    log_file_close(log);
    log->has_end = false;
}

/* The end of the last whole line at or before `size`. */
static enum err find_end(struct fs_file *file, uint64_t size, uint64_t *ret_end)
{
    uint8_t piece[TAIL_PIECE];
    uint64_t end = size;
    while (end > 0) {
        size_t want = end < sizeof piece ? (size_t)end : sizeof piece;
        size_t len;
        enum err err = fs_pread(file, piece, want, end - want, &len);
        if (err != ERR_NONE)
            return err;
        for (size_t i = len; i > 0; i--) {
            if (piece[i - 1] != '\n')
                continue;
            *ret_end = end - want + i;
            return ERR_NONE;
        }
        end -= want;
    }
    *ret_end = 0;
    return ERR_NONE;
}

static enum err open_file(struct log_file *log)
{
    struct fs_stat stat;
    enum err err = fs_open(log->fs, log->name, FS_OPEN_WRITE | FS_OPEN_CREATE, &log->file);
    if (err == ERR_NONE)
        err = log->file->ops->stat(log->file, &stat);
    if (err == ERR_NONE && log->has_end)
        log->end = stat.size < log->end ? stat.size : log->end;
    else if (err == ERR_NONE)
        err = find_end(log->file, stat.size, &log->end);
    if (err == ERR_NONE && log->end < stat.size)
        err = log->file->ops->truncate(log->file, log->end);
    log->has_end = log->has_end || err == ERR_NONE;
    if (err != ERR_NONE)
        log_file_close(log);
    return err;
}

/* Somebody else may have removed or truncated it. */
static enum err ready_file(struct log_file *log)
{
    struct fs_stat stat;
    if (log->file != NULL) {
        enum err err = log->file->ops->stat(log->file, &stat);
        if (err != ERR_NONE)
            return err;
        if (stat.links == 0)
            log_file_forget(log);
        else if (stat.size < log->end)
            log->end = stat.size;
    }
    return log->file == NULL ? open_file(log) : ERR_NONE;
}

enum err log_file_write(struct log_file *log, struct span lines, struct why *why)
{
    enum err err = ready_file(log);
    if (err != ERR_NONE)
        return why_set(why, err, "%s cannot be opened: %s", log->name, err_text(err));
    err = fs_pwrite(log->file, lines, log->end);
    return err == ERR_NONE ? err : why_set(why, err, "%s cannot be written: %s", log->name, err_text(err));
}

enum err log_file_sync(struct log_file *log, struct why *why)
{
    enum err err = fs_fdatasync(log->file);
    if (err == ERR_NONE && log->end == 0)
        err = log->fs->ops->sync_directory(log->fs);
    return err == ERR_NONE ? err : why_set(why, err, "%s cannot be synced: %s", log->name, err_text(err));
}

void log_file_keep(struct log_file *log, uint64_t len)
{
    log->end += len;
}
