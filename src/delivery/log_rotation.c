/* Rotation by renaming, and compression in pieces. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/log_rotation.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/gzip.h"

enum { PIECE_SIZE = 256 * 1024, PACKED_MAX = 4 * PIECE_SIZE, DRAFT_NAME_MAX = LOG_ROTATION_NAME_MAX + 8 };

static const char *const suffixes[] = {"", ".gz"};
enum { SUFFIX_COUNT = 2 };

static void
rotated_name(char to[static LOG_ROTATION_NAME_MAX], const char *name, uint32_t number, const char *suffix)
{
    (void)snprintf(to, LOG_ROTATION_NAME_MAX, "%s.%u%s", name, number, suffix);
}

static enum err absent_is_fine(enum err err)
{
    return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

/* NAME.number gives its place to the one before it. */
static enum err move_on(struct fs *fs, const char *name, uint32_t number, uint32_t keep)
{
    char from[LOG_ROTATION_NAME_MAX];
    char to[LOG_ROTATION_NAME_MAX];
    enum err err = ERR_NONE;
    for (int i = 0; err == ERR_NONE && i < SUFFIX_COUNT; i++) {
        rotated_name(from, name, number, suffixes[i]);
        rotated_name(to, name, number + 1, suffixes[i]);
        err = absent_is_fine(number >= keep ? fs->ops->unlink(fs, from) : fs->ops->rename(fs, from, to));
    }
    return err;
}

enum err log_rotate(struct fs *fs, const char *name, const struct log_rotation *rotation)
{
    enum err err = ERR_NONE;
    for (uint32_t number = rotation->keep; err == ERR_NONE && number > 0; number--)
        err = move_on(fs, name, number, rotation->keep);
    char first[LOG_ROTATION_NAME_MAX];
    rotated_name(first, name, 1, "");
    if (err == ERR_NONE)
        err = rotation->keep == 0 ? fs->ops->unlink(fs, name) : fs->ops->rename(fs, name, first);
    return err == ERR_NONE ? fs->ops->sync_directory(fs) : err;
}

/* --- Compression ---------------------------------------------------------------------------------- */

static void
target_name(const struct log_compression *self, char to[static DRAFT_NAME_MAX], const char *suffix)
{
    (void)snprintf(to, DRAFT_NAME_MAX, "%s.gz%s", self->name, suffix);
}

static enum err
open_source(struct log_compression *self, const char *name, const struct log_rotation *rotation)
{
    for (uint32_t number = rotation->keep; number > 0; number--) {
        rotated_name(self->name, name, number, "");
        enum err err = fs_open(self->fs, self->name, FS_OPEN_READ, &self->source);
        if (err != ERR_NOT_FOUND)
            return err;
    }
    return ERR_NOT_FOUND;
}

enum err log_compression_begin(struct log_compression *self,
                               struct fs *fs,
                               const char *name,
                               const struct log_rotation *rotation)
{
    *self = (struct log_compression){.fs = fs};
    buffer_init(&self->packed, PACKED_MAX);
    enum err err = open_source(self, name, rotation);
    if (err != ERR_NONE)
        return err;
    char draft[DRAFT_NAME_MAX];
    target_name(self, draft, ".tmp");
    err = absent_is_fine(fs->ops->unlink(fs, draft));
    if (err == ERR_NONE)
        err = fs_open(fs, draft, FS_OPEN_WRITE | FS_OPEN_CREATE, &self->target);
    if (err == ERR_NONE)
        err = gzip_new(&self->gzip);
    if (err == ERR_NONE && (self->plain = malloc(PIECE_SIZE)) == NULL)
        err = ERR_MEMORY;
    if (err != ERR_NONE)
        log_compression_abandon(self);
    return err;
}

static void release(struct log_compression *self)
{
    self->source = fs_close(self->source);
    self->target = fs_close(self->target);
    self->gzip = gzip_free(self->gzip);
    free(self->plain);
    self->plain = NULL;
    buffer_done(&self->packed);
}

void log_compression_abandon(struct log_compression *self)
{
    if (self->source == NULL)
        return;
    release(self);
    char draft[DRAFT_NAME_MAX];
    target_name(self, draft, ".tmp");
    (void)self->fs->ops->unlink(self->fs, draft); /* the next try begins with removing it, too */
}

static enum err write_piece(struct log_compression *self)
{
    if (self->packed.len == 0)
        return ERR_NONE;
    enum err err = fs_pwrite(self->target, buffer_span(&self->packed), self->write_at);
    self->write_at += self->packed.len;
    buffer_clear(&self->packed);
    return err;
}

static enum err finish(struct log_compression *self)
{
    char draft[DRAFT_NAME_MAX];
    char whole[DRAFT_NAME_MAX];
    target_name(self, draft, ".tmp");
    target_name(self, whole, "");
    enum err err = fs_fdatasync(self->target);
    if (err == ERR_NONE)
        err = self->fs->ops->rename(self->fs, draft, whole);
    if (err == ERR_NONE)
        err = self->fs->ops->sync_directory(self->fs);
    if (err == ERR_NONE)
        err = self->fs->ops->unlink(self->fs, self->name);
    return err;
}

enum err log_compression_step(struct log_compression *self)
{
    size_t len;
    enum err err = fs_pread(self->source, self->plain, PIECE_SIZE, self->read_at, &len);
    bool is_last = err == ERR_NONE && len < PIECE_SIZE;
    if (err == ERR_NONE)
        err = gzip_add(self->gzip, span_of(self->plain, len), is_last, &self->packed);
    if (err == ERR_NONE)
        err = write_piece(self);
    if (err == ERR_NONE && is_last)
        err = finish(self);
    if (err != ERR_NONE) {
        log_compression_abandon(self);
        return err;
    }
    self->read_at += len;
    if (!is_last)
        return ERR_AGAIN;
    release(self);
    return ERR_NONE;
}
