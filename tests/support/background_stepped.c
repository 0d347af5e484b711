/* Jobs in a list, run by the test. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/background_stepped.h"

static void post(struct background *background, struct background_job *job)
{
    struct background_stepped *stepped = LIST_OWNER(background, struct background_stepped, background);
    list_insert_last(&stepped->jobs, &job->mail.link);
}

void background_stepped_init(struct background_stepped *stepped)
{
    stepped->background.post = post;
    list_init(&stepped->jobs);
}

bool background_stepped_step(struct background_stepped *stepped)
{
    struct list *link = list_take_first(&stepped->jobs);
    if (link == NULL)
        return false;
    struct background_job *job = LIST_OWNER(link, struct background_job, mail.link);
    job->run(job);
    mailbox_post(job->reply_to, &job->mail);
    return true;
}
