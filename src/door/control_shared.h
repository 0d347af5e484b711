/* What the connections of the control socket share. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_CONTROL_SHARED_H
#define DOOR_CONTROL_SHARED_H

#include "base/buffer.h"
#include "door/control_task.h"
#include "door/read_pool.h"
#include "group/group.h"
#include "io/stream.h"
#include "store/store.h"

struct control_options {
    struct groups *groups; /* of this loop; NULL: `tail` takes no group */
    /*
     * `send`: makes the stream a producer's, whose lines are bodies for this topic and key (`has_key`), and takes it over
     * when it answers NONE; it may write from a later turn on. NULL: not supported. The spans end with the call.
     */
    enum err (*take_producer)(
        void *owner, struct stream *stream, struct span topic, struct span key, bool has_key);
    void *owner;
    struct control_operations operations; /* of other rooms; begin NULL: none */
};

struct control_shared {
    struct store *store;
    struct control_options options;
    int64_t started_ns;
    struct buffer answers; /* of the connection that is being read; empty in between */
    struct read_pool pool; /* of those that tail */
};

#endif
