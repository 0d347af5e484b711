/* Reads the whole lines of a file that others append to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/log_tail.h"

#include "base/clock.h"
#include "base/hash.h"

static const int64_t old_patience_ns = 10 * CLOCK_NS_PER_S;

/* --- One file ----------------------------------------------------------------------------------- */

static void close_file(struct log_tail_file *file)
{
    file->file = fs_close(file->file);
    *file = (struct log_tail_file){.file = NULL};
}

static void start_over(struct log_tail_file *file)
{
    file->position = (struct log_tail_position){.inode = file->position.inode};
    file->scanned = 0;
    file->seen = 0;
}

static uint64_t size_of(const struct log_tail_file *file)
{
    struct fs_stat stat = {0};
    return file->file != NULL && file->file->ops->stat(file->file, &stat) == ERR_NONE ? stat.size : 0;
}

static enum err read_head(struct fs_file *file, uint32_t len, uint32_t *ret_crc)
{
    uint8_t head[LOG_TAIL_HEAD_SIZE];
    size_t got = 0;
    check(len <= sizeof head);
    enum err err = fs_pread(file, head, len, 0, &got);
    *ret_crc = hash_crc32c(span_of(head, got), 0);
    return err == ERR_NONE && got < len ? ERR_NOT_FOUND : err;
}

/*
 * Whether the file is still, or again, the one in which the position lies: it begins as it did, and a line ends there. Who copies
 * and truncates may have written more than was there before.
 */
static bool holds(struct fs_file *file, const struct log_tail_position *position)
{
    struct fs_stat stat;
    uint32_t crc = 0;
    uint8_t before = 0;
    size_t len = 0;
    if (position->offset == 0)
        return true;
    return file->ops->stat(file, &stat) == ERR_NONE && stat.size >= position->offset &&
           fs_pread(file, &before, 1, position->offset - 1, &len) == ERR_NONE && before == '\n' &&
           read_head(file, position->head_len, &crc) == ERR_NONE && crc == position->head_crc;
}

static void move_to(struct log_tail_file *file, uint64_t offset)
{
    struct log_tail_position *position = &file->position;
    position->offset = offset;
    file->scanned = offset;
    if (position->head_len == LOG_TAIL_HEAD_SIZE)
        return;
    uint32_t len = offset < LOG_TAIL_HEAD_SIZE ? (uint32_t)offset : LOG_TAIL_HEAD_SIZE;
    uint32_t crc;
    if (read_head(file->file, len, &crc) != ERR_NONE)
        return;
    position->head_len = len;
    position->head_crc = crc;
}

/* NOT_FOUND, NOT_SUPPORTED, ACCESS ... */
static enum err open_plain(struct fs *fs, const char *name, struct log_tail_file *ret_file)
{
    struct fs_file *file = NULL;
    struct fs_stat stat = {0};
    enum err err = fs_open(fs, name, FS_OPEN_READ, &file);
    if (err != ERR_NONE)
        return err;
    err = file->ops->stat(file, &stat);
    if (err == ERR_NONE && !stat.is_plain)
        err = ERR_NOT_SUPPORTED;
    if (err != ERR_NONE) {
        file = fs_close(file);
        return err;
    }
    *ret_file = (struct log_tail_file){.file = file, .position = {.inode = stat.inode}};
    return ERR_NONE;
}

/* --- Which file --------------------------------------------------------------------------------- */

void log_tail_init(struct log_tail *tail, struct fs *fs, const char *name)
{
    tail->fs = fs;
    tail->name = name;
    tail->current = (struct log_tail_file){.file = NULL};
    tail->old = (struct log_tail_file){.file = NULL};
    tail->old_until_ns = 0;
    tail->reads_old = false;
    tail->is_cold = false;
    tail->read_end = 0;
}

void log_tail_done(struct log_tail *tail)
{
    close_file(&tail->current);
    close_file(&tail->old);
}

/* Nothing of it is left but perhaps a line without its end. */
static bool is_read(const struct log_tail_file *file)
{
    uint64_t size = size_of(file);
    return file->file == NULL || size <= file->scanned || size <= file->seen ||
           !holds(file->file, &file->position);
}

static enum err take_other(struct log_tail *tail,
                           struct log_tail_file *other,
                           int64_t now_ns,
                           enum log_tail_change *ret_change)
{
    if (!is_read(&tail->current)) { /* the rest first */
        close_file(other);
        return ERR_NONE;
    }
    close_file(&tail->old);
    tail->old = tail->current;
    tail->old_until_ns = now_ns + old_patience_ns;
    tail->current = *other;
    *ret_change = LOG_TAIL_ROTATED;
    return ERR_NONE;
}

enum err
log_tail_look(struct log_tail *tail, int64_t now_ns, bool keeps_old, enum log_tail_change *ret_change)
{
    struct log_tail_file named;
    *ret_change = LOG_TAIL_SAME;
    bool has_successor = tail->current.file != NULL; /* else whoever writes has not begun another one yet */
    if (tail->old.file != NULL && has_successor && !keeps_old && now_ns >= tail->old_until_ns &&
        is_read(&tail->old))
        close_file(&tail->old);
    enum err err = open_plain(tail->fs, tail->name, &named);
    if (err == ERR_NOT_FOUND)
        return ERR_NONE; /* removed, or about to come back: what is open is read on */
    if (err != ERR_NONE)
        return err;
    if (tail->current.file == NULL) {
        tail->current = named;
        *ret_change = LOG_TAIL_BEGUN;
        return ERR_NONE;
    }
    if (named.position.inode != tail->current.position.inode)
        return take_other(tail, &named, now_ns, ret_change);
    close_file(&named);
    if (!holds(tail->current.file, &tail->current.position)) {
        start_over(&tail->current);
        *ret_change = LOG_TAIL_RESTARTED;
    }
    return ERR_NONE;
}

/* --- Where it was left -------------------------------------------------------------------------- */

struct search {
    struct log_tail *tail;
    const struct log_tail_position *position;
};

/* processed.log.1, processed.log-20261101 ... */
static void look_into_name(void *owner, const char *name)
{
    struct search *search = owner;
    struct log_tail *tail = search->tail;
    struct log_tail_file file;
    if (tail->old.file != NULL || strncmp(name, tail->name, strlen(tail->name)) != 0 ||
        strcmp(name, tail->name) == 0 || open_plain(tail->fs, name, &file) != ERR_NONE)
        return;
    if (file.position.inode != search->position->inode || !holds(file.file, search->position)) {
        close_file(&file);
        return;
    }
    file.position = *search->position;
    file.scanned = file.position.offset;
    tail->old = file;
}

bool log_tail_restore(struct log_tail *tail, const struct log_tail_position *position)
{
    struct search search = {tail, position};
    check(tail->current.file == NULL && tail->old.file == NULL);
    enum err err = open_plain(tail->fs, tail->name, &tail->current);
    bool is_current = err == ERR_NONE && tail->current.position.inode == position->inode;
    if (is_current && holds(tail->current.file, position)) {
        tail->current.position = *position;
        tail->current.scanned = position->offset;
        return true;
    }
    if (is_current || tail->fs->ops->list(tail->fs, look_into_name, &search) != ERR_NONE)
        return false;
    return tail->old.file != NULL;
}

struct log_tail_position log_tail_position(const struct log_tail *tail)
{
    return tail->old.file != NULL ? tail->old.position : tail->current.position;
}

static uint64_t behind(const struct log_tail_file *file)
{
    uint64_t size = size_of(file);
    return size > file->position.offset ? size - file->position.offset : 0;
}

uint64_t log_tail_behind(const struct log_tail *tail)
{
    return behind(&tail->current) + behind(&tail->old);
}

/* --- Lines -------------------------------------------------------------------------------------- */

/* At first without waiting; where that cannot be told, or it is not in memory, one turn later. */
static enum err read_chunk(struct log_tail *tail, struct log_tail_file *file, size_t *ret_len)
{
    bool may_wait = tail->is_cold;
    tail->is_cold = false;
    enum err err = file->file->ops->pread(file->file, tail->chunk, sizeof tail->chunk, file->scanned,
                                          !may_wait, ret_len);
    if (err != ERR_AGAIN)
        return err;
    tail->is_cold = true;
    file->file->ops->will_need(file->file, file->scanned, 4 * sizeof tail->chunk);
    return ERR_AGAIN;
}

/* The end of a line that is longer than a chunk was found: its beginning is read again. */
static enum err give_cut(struct log_tail *tail,
                         struct log_tail_file *file,
                         uint64_t line_end,
                         struct log_tail_lines *ret_lines)
{
    size_t len = 0;
    enum err err = fs_pread(file->file, tail->chunk, LOG_TAIL_CUT_SIZE, file->position.offset, &len);
    ret_lines->bytes = span_of(tail->chunk, len);
    ret_lines->is_cut = true;
    tail->read_end = line_end;
    return err;
}

/* What lies behind `scanned` and ends. */
static enum err
read_lines(struct log_tail *tail, struct log_tail_file *file, struct log_tail_lines *ret_lines)
{
    size_t len = 0;
    enum err err = read_chunk(tail, file, &len);
    if (err != ERR_NONE || len == 0)
        return err;
    if (!holds(file->file, &file->position)) /* log_tail_look will say what it is */
        return ERR_NONE;
    struct span chunk = span_of(tail->chunk, len);
    ret_lines->inode = file->position.inode;
    ret_lines->offset = file->position.offset;
    if (file->scanned > file->position.offset) {
        size_t end = span_find(chunk, '\n');
        if (end < len)
            return give_cut(tail, file, file->scanned + end + 1, ret_lines);
        file->scanned += len;
        file->seen = file->scanned;
        return ERR_NONE;
    }
    const uint8_t *last = memrchr(tail->chunk, '\n', len);
    if (last == NULL) {
        file->seen = file->scanned + len;
        file->scanned += len == sizeof tail->chunk ? len : 0; /* its end is looked for in the next ones */
        return ERR_NONE;
    }
    ret_lines->bytes = span_of(tail->chunk, (size_t)(last - tail->chunk) + 1);
    tail->read_end = file->position.offset + ret_lines->bytes.len;
    return ERR_NONE;
}

enum err log_tail_read(struct log_tail *tail, struct log_tail_lines *ret_lines)
{
    struct log_tail_file *files[] = {&tail->old, &tail->current};
    *ret_lines = (struct log_tail_lines){.is_cut = false};
    for (size_t i = 0; i < 2; i++) {
        uint64_t scanned = files[i]->scanned;
        if (files[i]->file == NULL)
            continue;
        enum err err = read_lines(tail, files[i], ret_lines);
        tail->reads_old = i == 0;
        ret_lines->goes_on = files[i]->scanned > scanned;
        if (err != ERR_NONE || ret_lines->bytes.len > 0 || ret_lines->goes_on)
            return err;
    }
    return ERR_NONE;
}

void log_tail_take(struct log_tail *tail, size_t len)
{
    struct log_tail_file *file = tail->reads_old ? &tail->old : &tail->current;
    bool is_cut = file->scanned > file->position.offset;
    uint64_t end = is_cut ? tail->read_end : file->position.offset + len;
    check(end <= tail->read_end);
    move_to(file, end);
}
