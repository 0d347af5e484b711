/* One file of lines that grows: appended, synced, rotated. Blocks: for a background thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DELIVERY_LOG_FILE_H
#define DELIVERY_LOG_FILE_H

#include "base/fs.h"
#include "base/why.h"
#include "delivery/log_rotation.h"

/*
 * The file holds whole lines up to `end`. What lies behind is left from a write that did not succeed, and is written over; a
 * last line without its end is cut off when the file is opened: its record was not acknowledged, and comes again. A file
 * that somebody removed is made again, one that somebody truncated goes on at its new end.
 */
struct log_file {
    struct fs *fs;
    struct fs_file *file; /* NULL while it is not open */
    uint64_t end;
    bool has_end; /* it was open before: what lies behind the end is not ours to keep */
    char name[LOG_ROTATION_BASE_MAX];
};

void log_file_init(struct log_file *log, struct fs *fs, const char *name);
/* Closes it; the next write opens it again, at the same end. */
void log_file_close(struct log_file *log);
/* The same, but the next write finds another file under the name. */
void log_file_forget(struct log_file *log);

/* Opens it when it is not, and writes behind `end`; the end stays where it is until log_file_keep. */
enum err log_file_write(struct log_file *log, struct span lines, struct why *why) MUST_CHECK;
/* Makes what was written durable, and the file's name with it. */
enum err log_file_sync(struct log_file *log, struct why *why) MUST_CHECK;
/* The batch is durable as a whole: `len` more bytes belong to the file. */
void log_file_keep(struct log_file *log, uint64_t len);

#endif
