/* Tests of the background thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/background.h"

#include <stdatomic.h>

#include "support/test.h"

enum { JOBS = 1000 };

struct job {
    struct background_job job;
    unsigned *ran;  /* how many ran before; the thread's alone */
    unsigned order; /* when it ran */
    unsigned *back;
};

static void run(struct background_job *job)
{
    struct job *self = LIST_OWNER(job, struct job, job);
    self->order = (*self->ran)++;
}

static void on_back(struct mail *mail)
{
    (*LIST_OWNER(mail, struct job, job.mail)->back)++;
}

static void on_wake(void *owner)
{
    atomic_fetch_add((atomic_uint *)owner, 1);
}

TEST(jobs_run_in_order_and_all_come_back_before_it_ends)
{
    atomic_uint wakes = 0;
    unsigned ran = 0;
    unsigned back = 0;
    struct mailbox mailbox;
    struct background *background;
    static struct job jobs[JOBS];
    mailbox_init(&mailbox, on_wake, &wakes);
    expect_fine(background_thread_new("test", &background));
    for (unsigned i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){
            .job = {.mail = {.on_delivered = on_back}, .reply_to = &mailbox, .run = run},
            .ran = &ran,
            .back = &back,
        };
        background_post(background, &jobs[i].job);
    }
    expect_null(background_thread_free(background));
    expect_equal_u64(mailbox_deliver(&mailbox), JOBS);
    expect_equal_u64(back, JOBS);
    for (unsigned i = 0; i < JOBS; i++)
        expect_equal_u64(jobs[i].order, i);
    expect(atomic_load(&wakes) > 0);
    mailbox_done(&mailbox);
}

TEST_MAIN(jobs_run_in_order_and_all_come_back_before_it_ends)
