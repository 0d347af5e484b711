/* A loop without a kernel: a clock that stands until it is moved, and a random but repeatable order of events. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_LOOP_SIMULATED_H
#define SUPPORT_LOOP_SIMULATED_H

#include "base/random.h"
#include "io/loop.h"

/* Something outside the loop that may have work: a stream's peer, a journal's writer, a disk. */
struct simulated_actor {
    bool (*is_ready)(struct simulated_actor *actor);
    void (*step)(struct simulated_actor *actor);
};

enum { SIMULATED_ACTORS_MAX = 256 };

struct loop_simulated {
    struct loop loop;
    struct clock_fake clock; /* also of the loops beside it, which leave theirs alone */
    struct random random;    /* also for the actors */
    struct simulated_actor *actors[SIMULATED_ACTORS_MAX];
    unsigned actor_count;
    bool is_woken;
    uint64_t turns;
};

/* The same seed gives the same run. Prints the seed, so that a failing test can be run again. */
void loop_simulated_init(struct loop_simulated *simulated, uint64_t seed);
/* One more loop in the same time as `first`, whose seed decides its chances too. */
void loop_simulated_init_beside(struct loop_simulated *simulated, struct loop_simulated *first);
void loop_simulated_done(struct loop_simulated *simulated);

void loop_simulated_join(struct loop_simulated *simulated, struct simulated_actor *actor);
/* Also from inside a step. */
void loop_simulated_leave(struct loop_simulated *simulated, struct simulated_actor *actor);

/* One turn: mails and actors that are ready, each with luck and in random order, then tasks. False: nothing was to do. */
bool loop_simulated_turn(struct loop_simulated *simulated);
/* Turns until nothing is to do; time stands still. */
void loop_simulated_settle(struct loop_simulated *simulated);
/* Settles, lets time pass up to each timer that is due on the way, and settles again after each. */
void loop_simulated_pass(struct loop_simulated *simulated, int64_t time_ns);

#endif
