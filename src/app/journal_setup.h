/* The journal as the configuration wants it: its settings, and its events as log lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_JOURNAL_SETUP_H
#define APP_JOURNAL_SETUP_H

#include "app/named_groups.h"
#include "base/progress.h"
#include "config/config.h"
#include "journal/journal.h"

struct journal_setup {
    struct journal_settings settings;
    struct journal_topic_settings *topics; /* settings.topics */
    struct named_groups named;             /* settings.groups */
    struct journal_seams seams;
    struct progress progress; /* of recovery */
    bool shows_progress;
    void (*on_dropped)(void *owner, const char *fields); /* any thread of the journal; NULL: nobody is told */
    void *owner;
};

/* The setup must stay where it is as long as the journal lives. MEMORY. */
enum err journal_setup_init(struct journal_setup *setup,
                            const struct config *config,
                            struct fs *fs,
                            struct clock *clock) MUST_CHECK;
void journal_setup_done(struct journal_setup *setup);
/* Topics that the configuration names exist from now on; the others are tried too when one cannot be: its error and reason. */
enum err
journal_setup_create_topics(const struct config *config, struct journal *journal, struct why *why) MUST_CHECK;
/* Gives the running journal what another configuration says of it, which must outlive it or the next reload. MEMORY. */
enum err journal_setup_reload(struct journal_setup *setup,
                              const struct config *config,
                              struct journal *journal) MUST_CHECK;

/* Recovers, with a bar or log lines when it takes long. */
enum err
journal_setup_open(struct journal_setup *setup, struct why *why, struct journal **ret_journal) MUST_CHECK;

#endif
