/* From the journal's threads to the audit: who is told that records were dropped, once somebody is there. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_DROP_WATCH_H
#define APP_DROP_WATCH_H

#include <pthread.h>

#include "app/letters.h"

struct drop_watch {
    pthread_mutex_t lock;
    struct letters *letters; /* NULL: nobody yet, or no more; drops stand in the log alone */
};

void drop_watch_init(struct drop_watch *watch);
void drop_watch_done(struct drop_watch *watch);
void drop_watch_set(struct drop_watch *watch, struct letters *letters);
/* Any thread: a journal_setup.on_dropped. */
void drop_watch_tell(void *owner, const char *fields);

#endif
