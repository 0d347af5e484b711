/* The directory that holds everything of one Waybill, taken for one process. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_DATA_DIRECTORY_H
#define APP_DATA_DIRECTORY_H

#include <limits.h>

#include "base/fs.h"
#include "base/why.h"

struct data_directory {
    struct fs *journal;         /* <data>/journal, locked */
    char socket_path[PATH_MAX]; /* <data>/waybill.sock */
};

/*
 * Creates what is absent, for this user alone (0700). IN_USE when another process has it; ACCESS ... with
 * the reason.
 */
enum err data_directory_open(struct data_directory *directory, const char *path, struct why *why) MUST_CHECK;
void data_directory_close(struct data_directory *directory);

#endif
