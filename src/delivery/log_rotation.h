/* Rotated files: NAME.1 is the youngest; old ones are compressed, the oldest removed. Blocks: for a background thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DELIVERY_LOG_ROTATION_H
#define DELIVERY_LOG_ROTATION_H

#include "base/buffer.h"
#include "base/fs.h"

enum {
    LOG_ROTATION_BASE_MAX = 256, /* bytes of a file's name, with the zero */
    LOG_ROTATION_NAME_MAX = LOG_ROTATION_BASE_MAX + 24,
    LOG_ROTATION_KEEP_MAX = 1000,
};

struct log_rotation {
    uint64_t size; /* a file that has reached it is rotated before the next write; 0: never */
    uint32_t keep; /* rotated files */
    bool compress; /* to NAME.N.gz */
};

/* NAME becomes NAME.1, NAME.1 becomes NAME.2 and so on; the last one that is kept goes. Errors of the fs. */
enum err log_rotate(struct fs *fs, const char *name, const struct log_rotation *rotation) MUST_CHECK;

/* NAME.N on its way to NAME.N.gz: written aside, synced, renamed; then NAME.N is removed. */
struct log_compression {
    struct fs *fs;
    struct fs_file *source; /* NULL: nothing is being compressed */
    struct fs_file *target;
    struct gzip *gzip;
    uint8_t *plain;       /* a piece as it was read */
    struct buffer packed; /* what has become of it */
    uint64_t read_at;
    uint64_t write_at;
    char name[LOG_ROTATION_NAME_MAX]; /* NAME.N */
};

/* Begins with the oldest rotated file that is not compressed; NOT_FOUND when there is none. */
enum err log_compression_begin(struct log_compression *self,
                               struct fs *fs,
                               const char *name,
                               const struct log_rotation *rotation) MUST_CHECK;
/* A piece of the work. AGAIN: there is more; NONE: it is done. An error ends it, and the file stays as it was. */
enum err log_compression_step(struct log_compression *self) MUST_CHECK;
/* Gives it up; does nothing when nothing is under way. */
void log_compression_abandon(struct log_compression *self);

#endif
