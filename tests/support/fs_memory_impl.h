/* What the file system in memory and its power cut share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_FS_MEMORY_IMPL_H
#define SUPPORT_FS_MEMORY_IMPL_H

#include "support/fs_memory.h"

enum { MEMORY_NAME_SIZE = 128, MEMORY_SECTOR = 512 };

/* The bytes of a file. */
struct image {
    uint8_t *data;
    size_t len;
    size_t size;
};

/* A file without its names. It lives as long as the file system: a power cut may bring it back. */
struct inode {
    struct image live; /* what a read sees */
    struct image base; /* what was certain before the trace began */
};

struct entry {
    char name[MEMORY_NAME_SIZE];
    uint32_t inode;
};

struct directory {
    struct entry *entries;
    size_t count;
    size_t size;
};

enum operation_kind {
    OPERATION_WRITE,
    OPERATION_TRUNCATE,
    OPERATION_SYNC,
    OPERATION_SYNC_FAILED,
    OPERATION_CREATE, /* also a link: a name for an inode */
    OPERATION_RENAME,
    OPERATION_UNLINK,
    OPERATION_SYNC_DIRECTORY,
};

struct operation {
    enum operation_kind kind;
    uint32_t inode;
    uint64_t at; /* of a write; the new size of a truncate */
    uint8_t *bytes;
    size_t len;
    char name[MEMORY_NAME_SIZE];
    char target[MEMORY_NAME_SIZE]; /* of a rename */
};

struct fs_memory {
    struct fs fs;
    struct inode **inodes;
    uint32_t inode_count;
    struct directory live;
    struct directory base;
    struct operation *trace;
    size_t trace_len;
    size_t trace_size;
    uint64_t space; /* limit on the sum of all sizes */
    bool is_cold;
    uint64_t calls[FS_MEMORY_CALL_COUNT];
    enum fs_memory_call fault_call;
    uint64_t fault_in; /* calls until the fault; 0: none */
    enum err fault;
    bool has_failed;
};

struct fs_memory *memory_of(const struct fs *fs);
uint32_t memory_add_inode(struct fs_memory *memory);

void image_write(struct image *image, uint64_t at, const void *bytes, size_t len);
void image_resize(struct image *image, size_t len); /* grows with zeros */
void image_copy(struct image *target, const struct image *source);

struct entry *directory_find(const struct directory *directory, const char *name);
/* Each does what it can: a name that is not there is not an error. */
void directory_put(struct directory *directory, const char *name, uint32_t inode);
void directory_rename(struct directory *directory, const char *from, const char *to);
void directory_remove(struct directory *directory, const char *name);
void directory_copy(struct directory *target, const struct directory *source);

#endif
