/* An operation of the control socket whose answer takes more than a call, and the rooms' way to bring their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_CONTROL_TASK_H
#define DOOR_CONTROL_TASK_H

#include "base/err.h"
#include "base/span.h"
#include "base/why.h"

/* Where a task's answer goes: a connection. */
struct control_sink {
    /*
     * Whole lines, at most STREAM_WRITE_QUEUE_MAX of them at once. False: write no more until go_on. It may call the task's
     * close, when there is no memory for them.
     */
    bool (*write)(void *owner, struct span lines);
    /* The last line, `ok` or not; the connection has forgotten the task when it returns. */
    void (*finish)(void *owner, enum err err, const char *text);
    void *owner;
};

struct control_task {
    const struct control_task_ops *ops;
    struct control_sink sink;
};

struct control_task_ops {
    void (*go_on)(struct control_task *task); /* the peer reads again */
    void (*close)(struct control_task *task); /* nobody waits for the answer any more: the sink is gone */
};

struct control_operations {
    /*
     * NOT_FOUND: the request asks for none of these operations. NONE: *ret_task answers in a later turn, or it was answered and
     * finished at once, and is NULL. Else the reason. The request ends with the call.
     */
    enum err (*begin)(void *owner,
                      struct span request,
                      const struct control_sink *sink,
                      struct why *why,
                      struct control_task **ret_task);
    const char *names; /* of the operations, for messages: "a b c" */
    void *owner;
};

#endif
