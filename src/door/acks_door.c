/* The acks port. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/acks_door.h"

#include "door/acks_answer.h"
#include "door/acks_connection.h"

/* Answers are written when half of it is used: the other half is for the one that comes next. */
enum { ANSWERS_SIZE_MAX = 2 * ACKS_ANSWER_SIZE_MAX };

static enum err on_accepted(struct door *door, struct stream *stream)
{
    struct acks_shared *shared = &LIST_OWNER(door, struct acks_door, door)->shared;
    enum err err = buffer_reserve(&shared->answers, ANSWERS_SIZE_MAX);
    return err == ERR_NONE ? acks_connection_new(shared, door, stream) : err;
}

void acks_door_init(struct acks_door *acks,
                    struct loop *loop,
                    const char *name,
                    struct store *store,
                    struct acks_options options)
{
    static const struct door_ops ops = {.on_accepted = on_accepted, .drain = acks_connection_drain};
    *acks = (struct acks_door){.shared = {.store = store, .options = options}};
    door_init(&acks->door, &ops, loop, name);
    buffer_init(&acks->shared.answers, ANSWERS_SIZE_MAX);
}

void acks_door_done(struct acks_door *acks)
{
    door_done(&acks->door);
    buffer_done(&acks->shared.answers);
}
