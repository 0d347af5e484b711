/* The order of life: audit, groups, replays, parking; and back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/letters.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

static void on_time(struct timer *due)
{
    replays_step(LIST_OWNER(due, struct letters, due)->replays);
}

static void on_due(void *owner, int64_t after_ns)
{
    timer_start(&((struct letters *)owner)->due, after_ns);
}

/* Its own retention, or that of all topics: without one it grows until the log is full. */
static void warn_of_endless_audit(const struct config *config)
{
    const struct config_topic *topic = config->topics.defaults;
    const struct config_topic *topics = config->topics.items;
    for (uint32_t i = 0; i < config->topics.count; i++)
        if (strcmp(topics[i].name, config->audit.topic) == 0)
            topic = &topics[i];
    if (topic->retention.age_ns == 0 && topic->retention.size == 0)
        log_line(LOG_WARN, "app", "the audit topic has no retention",
                 "topic=%s remedy=\"give it an age or a size\"", config->audit.topic);
}

enum err
letters_init(struct letters *letters, struct loop *loop, struct store *store, const struct config *config)
{
    struct audit_settings settings = {
        .topic = span_from_text(config->audit.topic),
        .service = span_from_text(config->audit.service),
        .consume = config->audit.consume,
    };
    *letters = (struct letters){.loop = loop};
    timer_init(&letters->due, loop, on_time);
    letters->desk.audit_topic = settings.topic;
    warn_of_endless_audit(config);
    return audit_new(store, &loop->mailbox, loop->clock, &settings, &letters->audit);
}

/* The produce doors, in the order of the configuration. */
static enum err take_doors(struct letters *letters, const struct door_plans *plans)
{
    struct reroute_doors *doors = &letters->desk.doors;
    letters->doors = (const struct produce_settings **)calloc(plans->count + 1, sizeof(void *));
    if (letters->doors == NULL)
        return ERR_MEMORY;
    doors->settings = letters->doors;
    for (uint32_t i = 0; i < plans->count; i++)
        if (plans->plans[i].config->serve == CONFIG_PRODUCE)
            letters->doors[doors->count++] = &plans->plans[i].settings;
    return ERR_NONE;
}

enum err letters_open(struct letters *letters,
                      struct store *store,
                      struct groups *groups,
                      const struct door_plans *plans)
{
    struct loop *loop = letters->loop;
    struct letter_desk *desk = &letters->desk;
    struct replays_events events = {on_due, letters};
    struct replay_seams seams = {store, groups, &loop->mailbox, loop->clock, letters->audit};
    enum err err = take_doors(letters, plans);
    if (err == ERR_NONE)
        err = replays_new(&seams, &events, &letters->replays);
    if (err != ERR_NONE)
        return err;
    struct parking_replays for_parking = replays_for_parking(letters->replays);
    desk->seams = (struct letter_seams){store, &loop->mailbox, loop->clock, letters->audit};
    desk->replays = letters->replays;
    return parking_new(store, &loop->mailbox, loop->clock, letters->audit, &for_parking, &letters->parking);
}

bool letters_are_idle(struct letters *letters)
{
    return (letters->parking == NULL || parking_is_idle(letters->parking)) && audit_is_idle(letters->audit);
}

/* Each mail may bring another; none of them waits for anything but the store, which is stopped. */
static void deliver_all(struct letters *letters)
{
    while (mailbox_deliver(&letters->loop->mailbox) > 0)
        ;
}

void letters_close(struct letters *letters)
{
    if (letters->loop == NULL)
        return;
    timer_stop(&letters->due);
    deliver_all(letters);
    letters->desk.replays = NULL;
    letters->replays = replays_free(letters->replays);
    timer_stop(&letters->due);
    deliver_all(letters);
    letters->parking = parking_free(letters->parking);
}

void letters_done(struct letters *letters)
{
    if (letters->loop == NULL)
        return;
    deliver_all(letters);
    letters->audit = audit_free(letters->audit);
    free((void *)letters->doors);
    *letters = (struct letters){0};
}

/* --- Drops ------------------------------------------------------------------------------------------ */

struct dropped_mail {
    struct mail mail;
    struct letters *letters;
    char fields[512];
};

/* "... records=17 ..." */
static uint64_t count_of(const char *fields)
{
    const char *found = strstr(fields, "records=");
    uint64_t count = 0;
    if (found == NULL)
        return 0;
    struct span text = span_from_text(found + strlen("records="));
    text.len = span_find(text, ' ');
    return span_to_u64(text, &count) ? count : 0;
}

static void on_dropped(struct mail *mail)
{
    struct dropped_mail *dropped = LIST_OWNER(mail, struct dropped_mail, mail);
    struct audit_record record = {
        .event = AUDIT_DROP,
        .actor = AUDIT_LOG,
        .count = count_of(dropped->fields),
        .reason = span_from_text(dropped->fields),
        .duration_ms = -1,
    };
    audit_write(dropped->letters->audit, &record);
    free(dropped);
}

void letters_tell_dropped(struct letters *letters, const char *fields)
{
    struct dropped_mail *dropped = calloc(1, sizeof *dropped);
    if (dropped == NULL)
        return;
    dropped->mail.on_delivered = on_dropped;
    dropped->letters = letters;
    (void)snprintf(dropped->fields, sizeof dropped->fields, "%s", fields);
    mailbox_post(&letters->loop->mailbox, &dropped->mail);
}
