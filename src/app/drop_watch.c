/* From the journal's threads to the audit. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/drop_watch.h"

void drop_watch_init(struct drop_watch *watch)
{
    *watch = (struct drop_watch){.letters = NULL};
    check(pthread_mutex_init(&watch->lock, NULL) == 0);
}

void drop_watch_done(struct drop_watch *watch)
{
    check(pthread_mutex_destroy(&watch->lock) == 0);
}

void drop_watch_set(struct drop_watch *watch, struct letters *letters)
{
    check(pthread_mutex_lock(&watch->lock) == 0);
    watch->letters = letters;
    check(pthread_mutex_unlock(&watch->lock) == 0);
}

void drop_watch_tell(void *owner, const char *fields)
{
    struct drop_watch *watch = owner;
    check(pthread_mutex_lock(&watch->lock) == 0);
    if (watch->letters != NULL)
        letters_tell_dropped(watch->letters, fields);
    check(pthread_mutex_unlock(&watch->lock) == 0);
}
