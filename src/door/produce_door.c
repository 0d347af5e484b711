/* Puts a produce door together, and cuts those who hold unfinished lines for too long. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/produce_door.h"

#include "door/produce_connection.h"

/* While unfinished lines use up their budget, a line must be complete after so long. */
static const int64_t hold_max_ns = 10 * CLOCK_NS_PER_S;

static struct produce_door *produce_of(struct door *door)
{
    return LIST_OWNER(door, struct produce_door, door);
}

static enum err on_accepted(struct door *door, struct stream *stream)
{
    return produce_connection_new(door, &produce_of(door)->shared, stream);
}

static void on_sweep(struct timer *timer)
{
    struct produce_shared *shared = LIST_OWNER(timer, struct produce_shared, sweep);
    struct produce_door *produce = LIST_OWNER(shared, struct produce_door, shared);
    int64_t since_ns = clock_now_ns(timer->loop->clock) - hold_max_ns;
    if (!append_gate_is_out_of_room(shared->gate))
        return;
    LIST_EACH_SAFE (&produce->door.connections, link)
        produce_connection_cut_stalled(LIST_OWNER(link, struct door_connection, link), since_ns);
    timer_start(timer, hold_max_ns / 2);
}

enum err produce_door_init(struct produce_door *produce,
                           const struct produce_settings *settings,
                           struct append_gate *gate,
                           const char *name,
                           struct why *why)
{
    static const struct door_ops ops = {.on_accepted = on_accepted, .drain = produce_connection_drain};
    *produce = (struct produce_door){
        .shared = {.settings = settings, .store = gate->store, .gate = gate},
    };
    enum err err = line_batcher_init(&produce->shared.batcher, settings, gate->store, why);
    if (err != ERR_NONE)
        return err;
    produce->shared.max_line = line_batcher_line_max(&produce->shared.batcher);
    door_init(&produce->door, &ops, gate->loop, name);
    timer_init(&produce->shared.sweep, gate->loop, on_sweep);
    return ERR_NONE;
}

void produce_door_done(struct produce_door *produce)
{
    timer_stop(&produce->shared.sweep);
    door_done(&produce->door);
    line_batcher_done(&produce->shared.batcher);
}
