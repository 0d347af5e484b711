/* Reads the whole lines of a file that others append to, through its rotation, truncation and removal. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_LOG_TAIL_H
#define DOOR_LOG_TAIL_H

#include "base/fs.h"

enum {
    LOG_TAIL_CHUNK_SIZE = 64 * 1024,
    LOG_TAIL_HEAD_SIZE = 256, /* of a file's beginning, by which it is known again */
    LOG_TAIL_CUT_SIZE = 256,  /* of a line that is longer than a chunk: so much of it is given out */
};

/* A place between two lines, to go on there after a restart. `offset` 0 with inode 0: the beginning. */
struct log_tail_position {
    uint64_t inode;
    uint64_t offset;
    uint32_t head_len; /* bytes that head_crc is of; at most offset */
    uint32_t head_crc;
};

struct log_tail_file {
    struct fs_file *file;              /* NULL: none */
    struct log_tail_position position; /* all before it has been taken */
    uint64_t scanned;                  /* no line ends between position.offset and here */
    uint64_t seen;                     /* nor between scanned and here, when it lies behind */
};

/*
 * A file that got another name is read to its end before the next one is begun, and looked at for some time more, for whoever
 * writes it may not have noticed yet. A file that became shorter, or whose beginning changed, is read from its start again.
 */
struct log_tail {
    struct fs *fs;
    const char *name;
    struct log_tail_file current; /* that the name meant when it was looked at last */
    struct log_tail_file old;     /* that it meant before */
    int64_t old_until_ns;
    bool reads_old;    /* what was read last */
    bool is_cold;      /* it had to be fetched from the disk: the next read may wait */
    uint64_t read_end; /* behind what was read last */
    uint8_t chunk[LOG_TAIL_CHUNK_SIZE];
};

/* `name` is one in the directory of `fs`; both must outlive it. */
void log_tail_init(struct log_tail *tail, struct fs *fs, const char *name);
void log_tail_done(struct log_tail *tail);

/*
 * Goes on at a position, in whatever file of a name that begins with `name` it lies. False: it is nowhere any more, and
 * reading begins with the current file.
 */
bool log_tail_restore(struct log_tail *tail, const struct log_tail_position *position);

enum log_tail_change {
    LOG_TAIL_SAME,
    LOG_TAIL_BEGUN,     /* there is a file now, and there was none */
    LOG_TAIL_ROTATED,   /* the name means another file */
    LOG_TAIL_RESTARTED, /* the file is another one by its contents, or became shorter */
};

/*
 * Looks what the name means now: after changes, and now and then. While `keeps_old` a file of before is not given up. NONE with
 * what happened; or why the file cannot be read: ACCESS, NOT_SUPPORTED (no plain file), SYSTEM; the one before is read on.
 */
enum err log_tail_look(struct log_tail *tail,
                       int64_t now_ns,
                       bool keeps_old,
                       enum log_tail_change *ret_change) MUST_CHECK;

/* Whole lines, each with its LF. */
struct log_tail_lines {
    struct span bytes; /* valid until the next call; empty: nothing new, unless it goes on */
    bool is_cut;       /* the beginning of one line that is longer, without LF */
    bool goes_on;      /* the end of a long line was not found yet: call again */
    uint64_t inode;
    uint64_t offset; /* of the first */
};

/* AGAIN: it comes from the disk; a call a little later will have it, and may wait for it. IO ... of the file. */
enum err log_tail_read(struct log_tail *tail, struct log_tail_lines *ret_lines) MUST_CHECK;
/* The first `len` bytes of what was read last are done with: whole lines. A cut one is done with as a whole. */
void log_tail_take(struct log_tail *tail, size_t len);

/* From where a restart loses nothing: in the old file while there is one. */
struct log_tail_position log_tail_position(const struct log_tail *tail);
/* Bytes that are known to lie behind it. */
uint64_t log_tail_behind(const struct log_tail *tail);

#endif
