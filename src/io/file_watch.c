/* Tells that something happened to a file: inotify behind libuv. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file_watch.h"

#include <stdlib.h>
#include <string.h>

#include "io/loop_uv_impl.h"

/* The directory is watched, not the file: so a name is followed from one file to the next. */
struct file_watch {
    uv_fs_event_t event;
    void (*on_change)(void *owner);
    void *owner;
    char name[]; /* in the directory */
};

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct file_watch *self = event->data;
    (void)events;
    if (status < 0 || name == NULL || strcmp(name, self->name) == 0)
        self->on_change(self->owner);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

enum err file_watch_new(struct loop *loop,
                        const char *directory,
                        const char *name,
                        void (*on_change)(void *owner),
                        void *owner,
                        struct file_watch **ret_watch)
{
    size_t size = strlen(name) + 1;
    struct file_watch *self = calloc(1, sizeof *self + size);
    if (self == NULL)
        return ERR_MEMORY;
    self->on_change = on_change;
    self->owner = owner;
    memcpy(self->name, name, size);
    if (uv_fs_event_init(loop_uv_handle(loop), &self->event) != 0) {
        free(self);
        return ERR_SYSTEM;
    }
    self->event.data = self;
    int result = uv_fs_event_start(&self->event, on_event, directory, 0);
    if (result != 0) {
        uv_close((uv_handle_t *)&self->event, on_closed);
        return result == UV_ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    *ret_watch = self;
    return ERR_NONE;
}

struct file_watch *file_watch_close(struct file_watch *watch)
{
    if (watch != NULL)
        uv_close((uv_handle_t *)&watch->event, on_closed);
    return NULL;
}
