/* What all files of this room may ask of the journal. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_state.h"

#include <stdarg.h>
#include <stdio.h>

#include "journal/checkpoint.h"

void journal_tell(struct journal *journal, enum journal_event event, const char *format, ...)
{
    char fields[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fields, sizeof fields, format, arguments);
    va_end(arguments);
    if (journal->seams.on_event != NULL)
        journal->seams.on_event(journal->seams.owner, event, fields);
}

void journal_put_off(struct journal *journal, enum err err, const char *doing)
{
    journal_tell(journal, JOURNAL_EVENT_CHORE_FAILED, "doing=\"%s\" err=%s", doing, err_name(err));
}

void journal_wake_helper(struct journal *journal)
{
    journal_lock(&journal->queue);
    journal->chore_is_due = true;
    check(pthread_cond_signal(&journal->helper_wakes) == 0);
    journal_unlock(&journal->queue);
}

struct catalog_limits journal_catalog_limits(const struct journal *journal)
{
    uint64_t size = journal->settings.segment_size;
    uint64_t producers = checkpoint_share(size, CHECKPOINT_SHARE_PRODUCERS) / CHECKPOINT_PRODUCER_SIZE_MAX;
    return (struct catalog_limits){
        .topics_max = CATALOG_TOPICS_MAX,
        .producers_max = producers < CATALOG_PRODUCERS_MAX ? (uint32_t)producers : CATALOG_PRODUCERS_MAX,
        .groups_size_max = (size_t)checkpoint_share(size, CHECKPOINT_SHARE_GROUPS),
        .notes_size_max = (size_t)checkpoint_share(size, CHECKPOINT_SHARE_NOTES),
    };
}

bool journal_is_stopping(struct journal *journal)
{
    journal_lock(&journal->queue);
    bool is_stopping = journal->stopping;
    journal_unlock(&journal->queue);
    return is_stopping;
}

void journal_post_watches(struct journal *journal)
{
    journal_lock(&journal->view);
    struct list *link;
    while ((link = list_take_first(&journal->watches)) != NULL) {
        struct store_watch *watch = LIST_OWNER(link, struct store_watch, link);
        watch->is_set = false;
        mailbox_post(watch->reply_to, &watch->mail);
    }
    journal_unlock(&journal->view);
}
