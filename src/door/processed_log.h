/* A file that consumers append to: each whole line says that the message of its number is done. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_PROCESSED_LOG_H
#define DOOR_PROCESSED_LOG_H

#include "base/fs.h"
#include "group/group.h"
#include "io/loop.h"

/* Spans and texts must outlive the log. */
struct processed_log_settings {
    const char *path; /* as the configuration has it: for messages, and to know its note again */
    const char *name; /* of the file in the directory of the fs */
    struct span group;
    uint32_t sequence; /* index, from the store's sequence_open */
    struct span sequence_name;
    struct span topic; /* of <partition>:<offset>; empty: such lines say nothing */
};

struct processed_log;

/*
 * On the home loop of the groups. Reads from the file's start when it is seen for the first time, else goes on where it was; the
 * place is kept as a note that goes with the outcomes. TOO_MANY, BAD_NAME (group), MEMORY.
 */
enum err processed_log_new(struct store *store,
                           struct loop *loop,
                           struct groups *groups,
                           struct fs *fs,
                           const struct processed_log_settings *settings,
                           struct processed_log **ret_log) MUST_CHECK;
/* Something happened to the file. It is looked at once a second in any case. */
void processed_log_poke(struct processed_log *log);
/* Reads no more; outcomes that are under way stay so. */
void processed_log_stop(struct processed_log *log);
/* Stopped, and either nothing is under way or the groups are no more. Takes NULL; returns NULL. */
struct processed_log *processed_log_free(struct processed_log *log);

#endif
