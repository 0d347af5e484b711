/* A loop without a kernel. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/loop_simulated.h"

#include <inttypes.h>
#include <stdio.h>

enum { TURNS_MAX = 10 * 1000 * 1000 };

static void wake(struct loop *loop)
{
    LIST_OWNER(loop, struct loop_simulated, loop)->is_woken = true;
}

static const struct loop_ops ops = {.wake = wake};

void loop_simulated_init_beside(struct loop_simulated *simulated, struct loop_simulated *first)
{
    *simulated = (struct loop_simulated){.actor_count = 0};
    random_seed(&simulated->random, random_u64(&first->random));
    check(loop_init(&simulated->loop, &ops, &first->clock.clock) == ERR_NONE);
}

void loop_simulated_init(struct loop_simulated *simulated, uint64_t seed)
{
    *simulated = (struct loop_simulated){.actor_count = 0};
    printf("simulated loop: seed %" PRIu64 "\n", seed);
    random_seed(&simulated->random, seed);
    clock_fake_init(&simulated->clock, INT64_C(1700000000) * CLOCK_NS_PER_S);
    check(loop_init(&simulated->loop, &ops, &simulated->clock.clock) == ERR_NONE);
}

void loop_simulated_done(struct loop_simulated *simulated)
{
    check(simulated->actor_count == 0);
    loop_done(&simulated->loop);
}

void loop_simulated_join(struct loop_simulated *simulated, struct simulated_actor *actor)
{
    check(simulated->actor_count < SIMULATED_ACTORS_MAX);
    simulated->actors[simulated->actor_count++] = actor;
}

void loop_simulated_leave(struct loop_simulated *simulated, struct simulated_actor *actor)
{
    unsigned i = 0;
    while (simulated->actors[i] != actor)
        check(++i < simulated->actor_count);
    simulated->actors[i] = simulated->actors[--simulated->actor_count];
}

static bool has_luck(struct loop_simulated *simulated)
{
    return random_below(&simulated->random, 4) != 0;
}

static void shuffle(struct loop_simulated *simulated)
{
    for (unsigned i = simulated->actor_count; i > 1; i--) {
        uint64_t other = random_below(&simulated->random, i);
        struct simulated_actor *actor = simulated->actors[i - 1];
        simulated->actors[i - 1] = simulated->actors[other];
        simulated->actors[other] = actor;
    }
}

static bool deliver_mails(struct loop_simulated *simulated)
{
    bool was_woken = simulated->is_woken;
    if (was_woken && has_luck(simulated)) {
        simulated->is_woken = false;
        mailbox_deliver(&simulated->loop.mailbox);
    }
    return was_woken;
}

bool loop_simulated_turn(struct loop_simulated *simulated)
{
    simulated->turns++;
    simulated->loop.reads_in_turn = 0;
    bool was_busy = loop_run_timers(&simulated->loop) > 0;
    bool mails_first = has_luck(simulated);
    if (mails_first)
        was_busy |= deliver_mails(simulated);
    shuffle(simulated);
    /* An actor that leaves is replaced by the last: that one then waits for the next turn. */
    for (unsigned i = 0; i < simulated->actor_count; i++) {
        struct simulated_actor *actor = simulated->actors[i];
        if (!actor->is_ready(actor))
            continue;
        was_busy = true;
        if (has_luck(simulated))
            actor->step(actor);
    }
    if (!mails_first)
        was_busy |= deliver_mails(simulated);
    was_busy |= loop_run_tasks(&simulated->loop) > 0;
    return was_busy;
}

void loop_simulated_settle(struct loop_simulated *simulated)
{
    unsigned turns = 0;
    while (loop_simulated_turn(simulated))
        check(turns++ < TURNS_MAX);
}

void loop_simulated_pass(struct loop_simulated *simulated, int64_t time_ns)
{
    loop_simulated_settle(simulated);
    for (int64_t due_ns; time_ns > 0; time_ns -= due_ns) {
        due_ns = loop_next_due_ns(&simulated->loop);
        if (due_ns > time_ns)
            due_ns = time_ns;
        clock_fake_advance(&simulated->clock, due_ns);
        loop_simulated_settle(simulated);
    }
}
