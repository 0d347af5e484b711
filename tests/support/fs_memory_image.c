/* Bytes and names of the file system in memory: plain data, shared by life and power cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "support/fs_memory_impl.h"

struct fs_memory *memory_of(const struct fs *fs)
{
    return LIST_OWNER((void *)(uintptr_t)fs, struct fs_memory, fs);
}

uint32_t memory_add_inode(struct fs_memory *memory)
{
    memory->inodes = reallocarray(memory->inodes, memory->inode_count + 1, sizeof(struct inode *));
    check(memory->inodes != NULL);
    struct inode *inode = calloc(1, sizeof *inode);
    check(inode != NULL);
    memory->inodes[memory->inode_count] = inode;
    return memory->inode_count++;
}

void image_resize(struct image *image, size_t len)
{
    if (len > image->size) {
        size_t size = image->size == 0 ? 4096 : image->size;
        while (size < len)
            size *= 2;
        image->data = realloc(image->data, size);
        check(image->data != NULL);
        image->size = size;
    }
    if (len > image->len)
        memset(image->data + image->len, 0, len - image->len);
    image->len = len;
}

void image_write(struct image *image, uint64_t at, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    if (at + len > image->len)
        image_resize(image, (size_t)at + len);
    memcpy(image->data + at, bytes, len);
}

void image_copy(struct image *target, const struct image *source)
{
    image_resize(target, 0);
    image_write(target, 0, source->data, source->len);
}

struct entry *directory_find(const struct directory *directory, const char *name)
{
    for (size_t i = 0; i < directory->count; i++)
        if (strcmp(directory->entries[i].name, name) == 0)
            return &directory->entries[i];
    return NULL;
}

void directory_put(struct directory *directory, const char *name, uint32_t inode)
{
    struct entry *entry = directory_find(directory, name);
    if (entry == NULL) {
        if (directory->count == directory->size) {
            directory->size = directory->size == 0 ? 16 : directory->size * 2;
            directory->entries = realloc(directory->entries, directory->size * sizeof *directory->entries);
            check(directory->entries != NULL);
        }
        entry = &directory->entries[directory->count++];
        size_t len = strlen(name);
        check(len < sizeof entry->name);
        memcpy(entry->name, name, len + 1);
    }
    entry->inode = inode;
}

void directory_remove(struct directory *directory, const char *name)
{
    struct entry *entry = directory_find(directory, name);
    if (entry != NULL)
        *entry = directory->entries[--directory->count];
}

void directory_rename(struct directory *directory, const char *from, const char *to)
{
    struct entry *entry = directory_find(directory, from);
    if (entry == NULL || strcmp(from, to) == 0)
        return;
    uint32_t inode = entry->inode;
    directory_remove(directory, from);
    directory_put(directory, to, inode);
}

void directory_copy(struct directory *target, const struct directory *source)
{
    target->count = 0;
    for (size_t i = 0; i < source->count; i++)
        directory_put(target, source->entries[i].name, source->entries[i].inode);
}
