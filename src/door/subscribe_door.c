/* The subscribe port. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/subscribe_door.h"

#include "door/subscribe_connection.h"

static enum err on_accepted(struct door *door, struct stream *stream)
{
    return subscribe_connection_new(&LIST_OWNER(door, struct subscribe_door, door)->shared, door, stream);
}

void subscribe_door_init(struct subscribe_door *subscribe,
                         struct loop *loop,
                         const char *name,
                         struct store *store,
                         struct subscribe_options options)
{
    static const struct door_ops ops = {.on_accepted = on_accepted, .drain = subscribe_connection_drain};
    *subscribe = (struct subscribe_door){.shared = {.store = store, .options = options}};
    door_init(&subscribe->door, &ops, loop, name);
    read_pool_init(&subscribe->shared.pool, loop);
}

void subscribe_door_done(struct subscribe_door *subscribe)
{
    door_done(&subscribe->door);
    read_pool_done(&subscribe->shared.pool);
}
