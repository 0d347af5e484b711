/* A thread that runs jobs in the order in which they were posted. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/background.h"

#include <stdlib.h>

struct background_thread {
    struct background background;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wakes;
    struct list jobs;
    bool is_ending;
};

static struct background_thread *thread_of(struct background *background)
{
    return LIST_OWNER(background, struct background_thread, background);
}

/* The next job; NULL when it is to end and none is left. */
static struct background_job *take_job(struct background_thread *self)
{
    check(pthread_mutex_lock(&self->lock) == 0);
    while (list_is_empty(&self->jobs) && !self->is_ending)
        check(pthread_cond_wait(&self->wakes, &self->lock) == 0);
    struct list *link = list_take_first(&self->jobs);
    check(pthread_mutex_unlock(&self->lock) == 0);
    return link == NULL ? NULL : LIST_OWNER(link, struct background_job, mail.link);
}

static void *run(void *argument)
{
    struct background_thread *self = argument;
    for (struct background_job *job; (job = take_job(self)) != NULL;) {
        job->run(job);
        mailbox_post(job->reply_to, &job->mail);
    }
    return NULL;
}

static void post(struct background *background, struct background_job *job)
{
    struct background_thread *self = thread_of(background);
    check(job->reply_to != NULL && job->run != NULL);
    check(pthread_mutex_lock(&self->lock) == 0);
    list_insert_last(&self->jobs, &job->mail.link);
    check(pthread_cond_signal(&self->wakes) == 0);
    check(pthread_mutex_unlock(&self->lock) == 0);
}

enum err background_thread_new(const char *name, struct background **ret_background)
{
    struct background_thread *self = calloc(1, sizeof *self);
    if (self == NULL)
        return ERR_MEMORY;
    self->background.post = post;
    list_init(&self->jobs);
    check(pthread_mutex_init(&self->lock, NULL) == 0);
    check(pthread_cond_init(&self->wakes, NULL) == 0);
    if (pthread_create(&self->thread, NULL, run, self) != 0) {
        free(self);
        return ERR_SYSTEM;
    }
    (void)pthread_setname_np(self->thread, name);
    *ret_background = &self->background;
    return ERR_NONE;
}

struct background *background_thread_free(struct background *background)
{
    if (background == NULL)
        return NULL;
    struct background_thread *self = thread_of(background);
    check(pthread_mutex_lock(&self->lock) == 0);
    self->is_ending = true;
    check(pthread_cond_signal(&self->wakes) == 0);
    check(pthread_mutex_unlock(&self->lock) == 0);
    check(pthread_join(self->thread, NULL) == 0);
    check(pthread_cond_destroy(&self->wakes) == 0);
    check(pthread_mutex_destroy(&self->lock) == 0);
    free(self);
    return NULL;
}
