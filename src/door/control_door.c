/* The control socket of the command line. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/control_door.h"

#include "door/control_connection.h"

/* The longest line is that of a topic with a thousand partitions. */
enum { ANSWERS_SIZE_MAX = 512 * 1024 };

static enum err on_accepted(struct door *door, struct stream *stream)
{
    return control_connection_new(&LIST_OWNER(door, struct control_door, door)->shared, door, stream);
}

void control_door_init(struct control_door *control,
                       struct loop *loop,
                       const char *name,
                       struct store *store,
                       struct control_options options)
{
    static const struct door_ops ops = {.on_accepted = on_accepted, .drain = control_connection_drain};
    *control = (struct control_door){
        .shared = {.store = store, .options = options, .started_ns = clock_now_ns(loop->clock)},
    };
    door_init(&control->door, &ops, loop, name);
    buffer_init(&control->shared.answers, ANSWERS_SIZE_MAX);
    read_pool_init(&control->shared.pool, loop);
}

void control_door_done(struct control_door *control)
{
    door_done(&control->door);
    buffer_done(&control->shared.answers);
    read_pool_done(&control->shared.pool);
}
