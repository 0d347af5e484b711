/* Tells that something happened to a file: written, made, renamed, removed. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_FILE_WATCH_H
#define IO_FILE_WATCH_H

#include "io/loop.h"

struct file_watch;

/*
 * Watches the name `name` in `directory`, whatever file it is at the time, there or not. on_change comes on the loop's
 * thread, once or more for what happened at once; what happens to the file under another name is not told. Not every
 * file system tells all, and the kernel has limits: whoever watches looks by itself now and then, too. SYSTEM, MEMORY, NOT_FOUND.
 */
enum err file_watch_new(struct loop *loop,
                        const char *directory,
                        const char *name,
                        void (*on_change)(void *owner),
                        void *owner,
                        struct file_watch **ret_watch) MUST_CHECK;

/* Tells nothing any more; frees itself at the end of the turn. Takes NULL; returns NULL. */
struct file_watch *file_watch_close(struct file_watch *watch);

#endif
