/* The file system in memory as its users see it; each change leaves an operation in the trace. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fs_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "support/fs_memory_impl.h"

struct memory_file {
    struct fs_file file;
    struct fs_memory *memory;
    uint32_t inode;
    bool is_writable;
};

static struct memory_file *file_of(struct fs_file *file)
{
    return LIST_OWNER(file, struct memory_file, file);
}

static struct inode *inode_of(struct memory_file *file)
{
    return file->memory->inodes[file->inode];
}

static struct operation *record(struct fs_memory *memory, enum operation_kind kind)
{
    if (memory->trace_len == memory->trace_size) {
        memory->trace_size = memory->trace_size == 0 ? 64 : memory->trace_size * 2;
        memory->trace = realloc(memory->trace, memory->trace_size * sizeof *memory->trace);
        check(memory->trace != NULL);
    }
    struct operation *operation = &memory->trace[memory->trace_len++];
    *operation = (struct operation){.kind = kind};
    return operation;
}

static void put_name(char target[static MEMORY_NAME_SIZE], const char *name)
{
    size_t len = strlen(name);
    check(len > 0 && len < MEMORY_NAME_SIZE);
    memcpy(target, name, len + 1);
}

static void record_name(struct fs_memory *memory, enum operation_kind kind, const char *name, uint32_t inode)
{
    struct operation *operation = record(memory, kind);
    operation->inode = inode;
    put_name(operation->name, name);
}

/* Counts the call; the armed fault when it is due. */
static enum err enter(struct fs_memory *memory, enum fs_memory_call call)
{
    memory->calls[call]++;
    memory->calls[FS_MEMORY_ANY]++;
    bool counts = memory->fault_call == call || memory->fault_call == FS_MEMORY_ANY;
    if (!counts || memory->fault_in == 0 || --memory->fault_in > 0)
        return ERR_NONE;
    memory->has_failed = true;
    return memory->fault;
}

static uint64_t space_used(const struct fs_memory *memory)
{
    uint64_t used = 0;
    for (size_t i = 0; i < memory->live.count; i++)
        used += memory->inodes[memory->live.entries[i].inode]->live.len;
    return used;
}

static enum err memory_open(struct fs *fs, const char *path, unsigned flags, struct fs_file **ret_file)
{
    struct fs_memory *memory = memory_of(fs);
    enum err err = enter(memory, FS_MEMORY_OPEN);
    if (err != ERR_NONE)
        return err;
    struct entry *entry = directory_find(&memory->live, path);
    if (entry == NULL && (flags & FS_OPEN_CREATE) == 0)
        return ERR_NOT_FOUND;
    if (entry != NULL && (flags & FS_OPEN_EXCLUSIVE) != 0)
        return ERR_EXISTS;
    if (entry == NULL) {
        uint32_t inode = memory_add_inode(memory);
        directory_put(&memory->live, path, inode);
        record_name(memory, OPERATION_CREATE, path, inode);
        entry = directory_find(&memory->live, path);
    }
    struct memory_file *file = malloc(sizeof *file);
    check(file != NULL);
    *file = (struct memory_file){{fs->ops}, memory, entry->inode, (flags & FS_OPEN_WRITE) != 0};
    *ret_file = &file->file;
    return ERR_NONE;
}

static void memory_close(struct fs_file *file)
{
    free(file_of(file));
}

static enum err
memory_pread(struct fs_file *file, void *to, size_t size, uint64_t at, bool no_wait, size_t *ret_len)
{
    struct fs_memory *memory = file_of(file)->memory;
    enum err err = enter(memory, FS_MEMORY_PREAD);
    if (err != ERR_NONE)
        return err;
    if (no_wait && memory->is_cold)
        return ERR_AGAIN;
    const struct image *image = &inode_of(file_of(file))->live;
    size_t len = at >= image->len ? 0 : image->len - (size_t)at;
    len = len < size ? len : size;
    if (len > 0)
        memcpy(to, image->data + at, len);
    *ret_len = len;
    return ERR_NONE;
}

/* Applies a write to what reads see, and to the trace. */
static void
write_parts(struct memory_file *file, const struct iovec *parts, int count, uint64_t at, size_t len)
{
    struct operation *operation = record(file->memory, OPERATION_WRITE);
    operation->inode = file->inode;
    operation->at = at;
    operation->len = len;
    operation->bytes = malloc(len + 1);
    check(operation->bytes != NULL);
    size_t done = 0;
    for (int i = 0; i < count && done < len; i++) {
        size_t step = parts[i].iov_len < len - done ? parts[i].iov_len : len - done;
        if (step > 0)
            memcpy(operation->bytes + done, parts[i].iov_base, step);
        done += step;
    }
    image_write(&inode_of(file)->live, at, operation->bytes, len);
}

static enum err memory_pwritev(struct fs_file *file, const struct iovec *parts, int count, uint64_t at)
{
    struct memory_file *target = file_of(file);
    struct fs_memory *memory = target->memory;
    check(target->is_writable);
    size_t len = 0;
    for (int i = 0; i < count; i++)
        len += parts[i].iov_len;
    enum err err = enter(memory, FS_MEMORY_PWRITEV);
    uint64_t old_len = inode_of(target)->live.len;
    uint64_t growth = at + len > old_len ? at + len - old_len : 0;
    if (err == ERR_NONE && growth > 0 && space_used(memory) + growth > memory->space)
        return ERR_NO_SPACE;
    if (err != ERR_NONE)
        len = len / 2 / MEMORY_SECTOR * MEMORY_SECTOR;
    if (len > 0)
        write_parts(target, parts, count, at, len);
    return err;
}

static enum err memory_fdatasync(struct fs_file *file)
{
    struct fs_memory *memory = file_of(file)->memory;
    enum err err = enter(memory, FS_MEMORY_FDATASYNC);
    record(memory, err == ERR_NONE ? OPERATION_SYNC : OPERATION_SYNC_FAILED)->inode = file_of(file)->inode;
    return err;
}

static enum err memory_truncate(struct fs_file *file, uint64_t size)
{
    struct fs_memory *memory = file_of(file)->memory;
    check(file_of(file)->is_writable);
    enum err err = enter(memory, FS_MEMORY_TRUNCATE);
    if (err != ERR_NONE)
        return err;
    struct operation *operation = record(memory, OPERATION_TRUNCATE);
    operation->inode = file_of(file)->inode;
    operation->at = size;
    image_resize(&inode_of(file_of(file))->live, (size_t)size);
    return ERR_NONE;
}

static enum err memory_stat(struct fs_file *file, struct fs_stat *ret_stat)
{
    struct fs_memory *memory = file_of(file)->memory;
    enum err err = enter(memory, FS_MEMORY_STAT);
    if (err != ERR_NONE)
        return err;
    *ret_stat = (struct fs_stat){
        .size = inode_of(file_of(file))->live.len, .inode = file_of(file)->inode + 1, .is_plain = true};
    for (size_t i = 0; i < memory->live.count; i++)
        ret_stat->links += memory->live.entries[i].inode == file_of(file)->inode;
    return ERR_NONE;
}

static void memory_will_need(struct fs_file *file, uint64_t at, uint64_t len)
{
    (void)file;
    (void)at;
    (void)len;
}

static enum err memory_sync_directory(struct fs *fs)
{
    enum err err = enter(memory_of(fs), FS_MEMORY_SYNC_DIRECTORY);
    if (err == ERR_NONE)
        (void)record(memory_of(fs), OPERATION_SYNC_DIRECTORY);
    return err;
}

static enum err memory_rename(struct fs *fs, const char *from, const char *to)
{
    struct fs_memory *memory = memory_of(fs);
    enum err err = enter(memory, FS_MEMORY_RENAME);
    if (err != ERR_NONE)
        return err;
    if (directory_find(&memory->live, from) == NULL)
        return ERR_NOT_FOUND;
    record_name(memory, OPERATION_RENAME, from, 0);
    put_name(memory->trace[memory->trace_len - 1].target, to);
    directory_rename(&memory->live, from, to);
    return ERR_NONE;
}

static enum err memory_unlink(struct fs *fs, const char *path)
{
    struct fs_memory *memory = memory_of(fs);
    enum err err = enter(memory, FS_MEMORY_UNLINK);
    if (err != ERR_NONE)
        return err;
    if (directory_find(&memory->live, path) == NULL)
        return ERR_NOT_FOUND;
    record_name(memory, OPERATION_UNLINK, path, 0);
    directory_remove(&memory->live, path);
    return ERR_NONE;
}

/* Walks a copy: `on_name` may unlink. */
static enum err memory_list(struct fs *fs, void (*on_name)(void *owner, const char *name), void *owner)
{
    struct fs_memory *memory = memory_of(fs);
    enum err err = enter(memory, FS_MEMORY_LIST);
    if (err != ERR_NONE)
        return err;
    struct directory names = {0};
    directory_copy(&names, &memory->live);
    for (size_t i = 0; i < names.count; i++)
        on_name(owner, names.entries[i].name);
    free(names.entries);
    return ERR_NONE;
}

static enum err memory_free_space(struct fs *fs, uint64_t *ret_bytes)
{
    struct fs_memory *memory = memory_of(fs);
    enum err err = enter(memory, FS_MEMORY_FREE_SPACE);
    if (err != ERR_NONE)
        return err;
    uint64_t used = space_used(memory);
    *ret_bytes = used > memory->space ? 0 : memory->space - used;
    return ERR_NONE;
}

static const struct fs_ops memory_ops = {
    .open = memory_open,
    .close = memory_close,
    .pread = memory_pread,
    .pwritev = memory_pwritev,
    .fdatasync = memory_fdatasync,
    .truncate = memory_truncate,
    .stat = memory_stat,
    .will_need = memory_will_need,
    .sync_directory = memory_sync_directory,
    .rename = memory_rename,
    .unlink = memory_unlink,
    .list = memory_list,
    .free_space = memory_free_space,
};

struct fs *fs_memory_new(void)
{
    struct fs_memory *memory = calloc(1, sizeof *memory);
    check(memory != NULL);
    memory->fs.ops = &memory_ops;
    memory->space = UINT64_C(1) << 40;
    return &memory->fs;
}

static void forget_trace(struct fs_memory *memory)
{
    for (size_t i = 0; i < memory->trace_len; i++)
        free(memory->trace[i].bytes);
    memory->trace_len = 0;
}

struct fs *fs_memory_free(struct fs *fs)
{
    if (fs == NULL)
        return NULL;
    struct fs_memory *memory = memory_of(fs);
    forget_trace(memory);
    for (uint32_t i = 0; i < memory->inode_count; i++) {
        free(memory->inodes[i]->live.data);
        free(memory->inodes[i]->base.data);
        free(memory->inodes[i]);
    }
    free(memory->inodes);
    free(memory->live.entries);
    free(memory->base.entries);
    free(memory->trace);
    free(memory);
    return NULL;
}

void fs_memory_fail(struct fs *fs, enum fs_memory_call call, uint64_t n, enum err err)
{
    struct fs_memory *memory = memory_of(fs);
    memory->fault_call = call;
    memory->fault_in = n;
    memory->fault = err;
    memory->has_failed = false;
}

bool fs_memory_has_failed(const struct fs *fs)
{
    return memory_of(fs)->has_failed;
}

uint64_t fs_memory_calls(const struct fs *fs, enum fs_memory_call call)
{
    return memory_of(fs)->calls[call];
}

void fs_memory_limit(struct fs *fs, uint64_t bytes)
{
    memory_of(fs)->space = bytes;
}

void fs_memory_set_cold(struct fs *fs, bool is_cold)
{
    memory_of(fs)->is_cold = is_cold;
}

enum err fs_memory_link(struct fs *fs, const char *from, const char *to)
{
    struct fs_memory *memory = memory_of(fs);
    struct entry *entry = directory_find(&memory->live, from);
    if (entry == NULL)
        return ERR_NOT_FOUND;
    if (directory_find(&memory->live, to) != NULL)
        return ERR_EXISTS;
    uint32_t inode = entry->inode;
    directory_put(&memory->live, to, inode);
    record_name(memory, OPERATION_CREATE, to, inode);
    return ERR_NONE;
}

enum err fs_memory_read_all(struct fs *fs, const char *path, struct buffer *to)
{
    struct entry *entry = directory_find(&memory_of(fs)->live, path);
    if (entry == NULL)
        return ERR_NOT_FOUND;
    const struct image *image = &memory_of(fs)->inodes[entry->inode]->live;
    return buffer_append(to, span_of(image->data, image->len));
}

void fs_memory_poke(struct fs *fs, const char *path, uint64_t at, uint8_t mask)
{
    struct fs_memory *memory = memory_of(fs);
    struct entry *entry = directory_find(&memory->live, path);
    check(entry != NULL && at < memory->inodes[entry->inode]->live.len);
    memory->inodes[entry->inode]->live.data[at] ^= mask;
    forget_trace(memory);
    directory_copy(&memory->base, &memory->live);
    for (uint32_t i = 0; i < memory->inode_count; i++)
        image_copy(&memory->inodes[i]->base, &memory->inodes[i]->live);
}

uint64_t fs_memory_operations(const struct fs *fs)
{
    return memory_of(fs)->trace_len;
}

/* Any name of the inode: an unlinked one has none. */
static const char *name_of(const struct fs_memory *memory, uint32_t inode)
{
    for (size_t i = 0; i < memory->live.count; i++)
        if (memory->live.entries[i].inode == inode)
            return memory->live.entries[i].name;
    return "(unlinked)";
}

const char *fs_memory_describe(const struct fs *fs, uint64_t operation, char text[static 256])
{
    static const char *const verbs[] = {
        "pwritev", "truncate", "fdatasync", "failed fdatasync",
        "create",  "rename",   "unlink",    "sync_directory",
    };
    const struct fs_memory *memory = memory_of(fs);
    check(operation < memory->trace_len);
    const struct operation *what = &memory->trace[operation];
    const char *name = what->name[0] != '\0' ? what->name : name_of(memory, what->inode);
    if (what->kind == OPERATION_WRITE)
        (void)snprintf(text, 256, "%" PRIu64 ": pwritev %.64s %" PRIu64 "+%zu", operation, name, what->at,
                       what->len);
    else if (what->kind == OPERATION_SYNC_DIRECTORY)
        (void)snprintf(text, 256, "%" PRIu64 ": sync_directory", operation);
    else
        (void)snprintf(text, 256, "%" PRIu64 ": %s %.64s %.64s", operation, verbs[what->kind], name,
                       what->target);
    return text;
}
