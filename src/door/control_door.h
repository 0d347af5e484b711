/* The control socket of the command line (docs/protocols/control.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_CONTROL_DOOR_H
#define DOOR_CONTROL_DOOR_H

#include "base/buffer.h"
#include "door/door.h"
#include "store/store.h"

struct control_options {
    /*
     * `send`: makes the stream a producer's, whose lines are bodies for this topic and key (`has_key`), and takes it over
     * when it answers NONE; it may write from a later turn on. NULL: not supported. The spans end with the call.
     */
    enum err (*take_producer)(
        void *owner, struct stream *stream, struct span topic, struct span key, bool has_key);
    void *owner;
};

struct control_door {
    struct door door; /* to listen, drain and cut */
    struct store *store;
    struct control_options options;
    int64_t started_ns;
    struct buffer answers; /* of the connection that is being read; empty in between */
};

/* One for the program. `name` must outlive it. */
void control_door_init(struct control_door *control,
                       struct loop *loop,
                       const char *name,
                       struct store *store,
                       struct control_options options);
/* No connection is left. */
void control_door_done(struct control_door *control);

#endif
