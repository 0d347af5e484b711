/* A delivery into files: every record a canonical line, synced before it counts as delivered. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DELIVERY_TARGET_FILE_H
#define DELIVERY_TARGET_FILE_H

#include "base/background.h"
#include "delivery/log_rotation.h"
#include "delivery/target.h"

enum {
    TARGET_FILE_OPEN_MAX = 256
}; /* files that are open at once; the one that was written longest ago makes room */

struct target_file_settings {
    const char *directory; /* must exist */
    const char *name;      /* "append.log", or with "{topic}" in it: a file for each topic */
    struct log_rotation rotation;
    size_t batch_bytes; /* of lines in one batch */
};

/* Errors of the directory with the reason. `mailbox` is the delivery's loop's. */
enum err target_file_new(const struct target_file_settings *settings,
                         struct background *background,
                         struct mailbox *mailbox,
                         struct why *why,
                         struct target **ret_target) MUST_CHECK;
/* The same on a file system that the caller keeps: for tests. */
enum err target_file_new_on(const struct target_file_settings *settings,
                            struct fs *fs,
                            struct background *background,
                            struct mailbox *mailbox,
                            struct target **ret_target) MUST_CHECK;

/* "append.log" or "{topic}.log"; BAD_NAME with the reason for a template that could leave the directory, or has other words. */
enum err target_file_check_name(const char *name, struct why *why) MUST_CHECK;

#endif
