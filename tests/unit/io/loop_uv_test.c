/* Tests the loop over libuv: mails from other threads, timers, tasks at the end of a turn. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop_uv.h"

#include <pthread.h>

#include "support/test.h"

struct fixture {
    struct loop *loop;
    struct loop_task task;
    struct timer timer;
    struct timer other_timer;
    struct mail mail;
    unsigned runs;
    unsigned runs_max;
    int64_t fired_ns;
};

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.loop = NULL};
    expect_fine(loop_uv_new(&fixture->loop));
}

static void stop_when_enough(struct fixture *fixture)
{
    if (++fixture->runs >= fixture->runs_max)
        loop_uv_stop(fixture->loop);
}

static void on_task(struct loop_task *task)
{
    struct fixture *fixture = LIST_OWNER(task, struct fixture, task);
    stop_when_enough(fixture);
    loop_at_end_of_turn(fixture->loop, task);
}

TEST(task_that_asks_again_runs_in_every_turn_without_sleeping)
{
    struct fixture fixture;
    begin(&fixture);
    fixture.runs_max = 100;
    loop_task_init(&fixture.task, on_task);
    loop_at_end_of_turn(fixture.loop, &fixture.task);
    loop_at_end_of_turn(fixture.loop, &fixture.task);
    loop_uv_run(fixture.loop);
    expect(fixture.runs >= 100);
    loop_task_cancel(&fixture.task);
    expect_null(loop_uv_free(fixture.loop));
}

static void on_timer(struct timer *timer)
{
    struct fixture *fixture = LIST_OWNER(timer, struct fixture, timer);
    fixture->fired_ns = clock_now_ns(fixture->loop->clock);
    loop_uv_stop(fixture->loop);
}

static void on_timer_never(struct timer *timer)
{
    (void)timer;
    test_fail("a stopped timer fired");
}

TEST(timer_fires_after_its_time_and_a_stopped_one_never)
{
    struct fixture fixture;
    begin(&fixture);
    timer_init(&fixture.timer, fixture.loop, on_timer);
    timer_init(&fixture.other_timer, fixture.loop, on_timer_never);
    int64_t start_ns = clock_now_ns(fixture.loop->clock);
    timer_start(&fixture.timer, 5 * CLOCK_NS_PER_MS);
    timer_start(&fixture.timer, 20 * CLOCK_NS_PER_MS);
    timer_start(&fixture.other_timer, 1 * CLOCK_NS_PER_MS);
    timer_stop(&fixture.other_timer);
    loop_uv_run(fixture.loop);
    expect(fixture.fired_ns - start_ns >= 20 * CLOCK_NS_PER_MS);
    expect(!fixture.timer.armed);
    expect_null(loop_uv_free(fixture.loop));
}

static void on_mail(struct mail *mail)
{
    stop_when_enough(LIST_OWNER(mail, struct fixture, mail));
}

static void *post_from_thread(void *argument)
{
    struct fixture *fixture = argument;
    mailbox_post(&fixture->loop->mailbox, &fixture->mail);
    return NULL;
}

TEST(mail_from_another_thread_wakes_the_loop)
{
    struct fixture fixture;
    begin(&fixture);
    fixture.runs_max = 1;
    fixture.mail.on_delivered = on_mail;
    pthread_t thread;
    expect(pthread_create(&thread, NULL, post_from_thread, &fixture) == 0);
    loop_uv_run(fixture.loop);
    expect_equal_u64(fixture.runs, 1);
    expect(pthread_join(thread, NULL) == 0);
    expect_null(loop_uv_free(fixture.loop));
}

static void on_mail_posts_again(struct mail *mail)
{
    struct fixture *fixture = LIST_OWNER(mail, struct fixture, mail);
    stop_when_enough(fixture);
    if (fixture->runs < fixture->runs_max)
        mailbox_post(&fixture->loop->mailbox, mail);
}

static void on_task_posts(struct loop_task *task)
{
    struct fixture *fixture = LIST_OWNER(task, struct fixture, task);
    mailbox_post(&fixture->loop->mailbox, &fixture->mail);
}

TEST(mail_that_the_loop_posts_to_itself_is_delivered_without_sleeping)
{
    struct fixture fixture;
    begin(&fixture);
    fixture.runs_max = 100;
    fixture.mail.on_delivered = on_mail_posts_again;
    loop_task_init(&fixture.task, on_task_posts);
    loop_at_end_of_turn(fixture.loop, &fixture.task);
    loop_uv_run(fixture.loop);
    expect_equal_u64(fixture.runs, 100);
    expect_null(loop_uv_free(fixture.loop));
}

TEST(stop_before_the_run_ends_it_at_once)
{
    struct fixture fixture;
    begin(&fixture);
    loop_uv_stop(fixture.loop);
    loop_uv_run(fixture.loop);
    expect_null(loop_uv_free(fixture.loop));
}

TEST_MAIN(task_that_asks_again_runs_in_every_turn_without_sleeping,
          timer_fires_after_its_time_and_a_stopped_one_never,
          mail_from_another_thread_wakes_the_loop,
          mail_that_the_loop_posts_to_itself_is_delivered_without_sleeping,
          stop_before_the_run_ends_it_at_once)
