/* The seam to a thread for what blocks: jobs run there one after the other, and come back by mail. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BACKGROUND_H
#define BASE_BACKGROUND_H

#include "base/err.h"
#include "base/mailbox.h"

/* Embedded in what it works on, which nobody else touches until on_done. */
struct background_job {
    struct mail mail; /* its on_delivered is the owner's: the job is done */
    struct mailbox *reply_to;
    void (*run)(struct background_job *job); /* on the background's thread; may block */
};

struct background {
    void (*post)(struct background *background, struct background_job *job);
};

static inline void background_post(struct background *background, struct background_job *job)
{
    background->post(background, job);
}

/* One thread. SYSTEM, MEMORY. */
enum err background_thread_new(const char *name, struct background **ret_background) MUST_CHECK;
/* Runs what was posted before, then ends. Takes NULL; returns NULL. */
struct background *background_thread_free(struct background *background);

#endif
