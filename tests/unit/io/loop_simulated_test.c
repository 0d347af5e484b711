/* Tests the simulated loop: its time, its order, and that a seed repeats a run. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/loop_simulated.h"

#include "support/test.h"

struct fixture {
    struct loop_simulated simulated;
    struct timer timers[3];
    struct simulated_actor actors[3];
    char order[64];
    size_t order_len;
    unsigned steps_left;
};

static void note(struct fixture *fixture, char what)
{
    check(fixture->order_len + 1 < sizeof(fixture->order));
    fixture->order[fixture->order_len++] = what;
    fixture->order[fixture->order_len] = '\0';
}

static struct fixture *of_timer(struct timer *timer)
{
    return LIST_OWNER(timer->loop, struct fixture, simulated.loop);
}

static void on_due(struct timer *timer)
{
    struct fixture *fixture = of_timer(timer);
    note(fixture, (char)('a' + (timer - fixture->timers)));
}

TEST(time_passes_from_timer_to_timer)
{
    struct fixture fixture = {.order_len = 0};
    loop_simulated_init(&fixture.simulated, 1);
    for (size_t i = 0; i < 3; i++)
        timer_init(&fixture.timers[i], &fixture.simulated.loop, on_due);
    timer_start(&fixture.timers[0], 30);
    timer_start(&fixture.timers[1], 10);
    timer_start(&fixture.timers[2], 41);
    int64_t start_ns = clock_now_ns(fixture.simulated.loop.clock);
    loop_simulated_pass(&fixture.simulated, 40);
    expect_equal_text(fixture.order, "ba");
    expect_equal_i64(clock_now_ns(fixture.simulated.loop.clock) - start_ns, 40);
    timer_stop(&fixture.timers[2]);
    loop_simulated_done(&fixture.simulated);
}

static bool actor_is_ready(struct simulated_actor *actor)
{
    (void)actor;
    return true;
}

static struct fixture *running;

static void actor_step(struct simulated_actor *actor)
{
    note(running, (char)('a' + (actor - running->actors)));
    if (--running->steps_left == 0)
        for (size_t i = 0; i < 3; i++)
            loop_simulated_leave(&running->simulated, &running->actors[i]);
}

static void run_actors(struct fixture *fixture, uint64_t seed)
{
    *fixture = (struct fixture){.steps_left = 40};
    running = fixture;
    loop_simulated_init(&fixture->simulated, seed);
    for (size_t i = 0; i < 3; i++) {
        fixture->actors[i] = (struct simulated_actor){actor_is_ready, actor_step};
        loop_simulated_join(&fixture->simulated, &fixture->actors[i]);
    }
    loop_simulated_settle(&fixture->simulated);
    loop_simulated_done(&fixture->simulated);
}

TEST(same_seed_gives_the_same_order_and_another_seed_another)
{
    struct fixture first;
    struct fixture second;
    struct fixture third;
    run_actors(&first, 7);
    run_actors(&second, 7);
    run_actors(&third, 8);
    expect_equal_text(first.order, second.order);
    expect(strcmp(first.order, third.order) != 0);
}

TEST_MAIN(time_passes_from_timer_to_timer, same_seed_gives_the_same_order_and_another_seed_another)
