/* Claims wait, those of a turn in the order of their records; a step makes letters of them as far as the records can be had. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/parking.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metric.h"
#include "store/append_queue.h"
#include "store/record_loader.h"

enum {
    INFLIGHT_MAX = 4 * 1024 * 1024, /* bytes of appends; then claims wait */
    APPEND_SIZE = 1024 * 1024,      /* an append this large goes out */
    CLAIMS_OF_APPEND_MAX = 8192,
    TEXTS_MAX = 64 * 1024, /* what is kept of a fault */
    WAITING_SIZE_MAX = 64 * 1024 * 1024,
    KEPT_SIZE = 64 * 1024, /* of what waits: storage that stays */
};

/* What one call brought: lives until all of its claims have ended. The texts of the fault are behind it. */
struct parked {
    struct parking_fault fault;
    void (*on_parked)(void *owner, enum err err);
    void *owner;
    enum err err;  /* the first */
    uint32_t left; /* claims that have not ended */
};

/* A claim whose record was not read yet. */
struct waiting_claim {
    struct group_claim *claim;
    struct parked *parked;
    struct store_position position;
};

/* A claim whose letter is in an append. */
struct sent_claim {
    struct group_claim *claim;
    struct parked *parked;
};

struct sent_append {
    struct parking *parking;
    uint32_t count;
    struct sent_claim claims[];
};

struct parking {
    struct store *store;
    struct mailbox *mailbox;
    struct clock *clock;
    struct letter_drafter drafter;
    struct buffer waiting; /* struct waiting_claim */
    uint32_t next;         /* the first of them that still waits */
    bool is_sorted;        /* from there on */
    struct record_loader loader;
    struct append_builder builder;
    struct buffer gathered; /* struct sent_claim: in the builder */
    struct append_queue queue;
    struct mail step_mail;
    bool is_stepping;
};

static void step(struct parking *parking);

static void on_step(struct mail *mail)
{
    struct parking *parking = LIST_OWNER(mail, struct parking, step_mail);
    parking->is_stepping = false;
    step(parking);
}

static void step_later(struct parking *parking)
{
    if (parking->is_stepping)
        return;
    parking->is_stepping = true;
    mailbox_post(parking->mailbox, &parking->step_mail);
}

static void on_loaded(void *owner)
{
    step(owner);
}

/* --- Life ----------------------------------------------------------------------------------------- */

enum err parking_new(struct store *store,
                     struct mailbox *mailbox,
                     struct clock *clock,
                     struct audit *audit,
                     const struct parking_replays *replays,
                     struct parking **ret_parking)
{
    struct parking *parking = calloc(1, sizeof *parking);
    if (parking == NULL)
        return ERR_MEMORY;
    parking->store = store;
    parking->mailbox = mailbox;
    parking->clock = clock;
    parking->drafter = (struct letter_drafter){.store = store, .clock = clock, .audit = audit};
    if (replays != NULL)
        parking->drafter.replays = *replays;
    parking->step_mail.on_delivered = on_step;
    buffer_init(&parking->waiting, WAITING_SIZE_MAX);
    record_loader_init(&parking->loader, store, mailbox, on_loaded, parking);
    append_builder_init(&parking->builder, store);
    append_queue_init(&parking->queue, store, mailbox);
    buffer_init(&parking->gathered, CLAIMS_OF_APPEND_MAX * sizeof(struct sent_claim));
    *ret_parking = parking;
    return ERR_NONE;
}

bool parking_is_idle(struct parking *parking)
{
    return parking->waiting.len == 0 && !parking->is_stepping && !parking->loader.is_reading &&
           append_builder_is_empty(&parking->builder) && append_queue_is_idle(&parking->queue);
}

struct parking *parking_free(struct parking *parking)
{
    if (parking == NULL)
        return NULL;
    check(parking_is_idle(parking));
    buffer_done(&parking->waiting);
    buffer_done(&parking->gathered);
    append_queue_done(&parking->queue);
    append_builder_done(&parking->builder);
    record_loader_done(&parking->loader);
    free(parking);
    return NULL;
}

/* --- Faults --------------------------------------------------------------------------------------- */

static struct span *const *texts_of(struct parking_fault *fault, struct span *texts[7])
{
    texts[0] = &fault->group;
    texts[1] = &fault->dead_letters;
    texts[2] = &fault->reason;
    texts[3] = &fault->stacktrace;
    texts[4] = &fault->correlation_id;
    texts[5] = &fault->traceability_id;
    texts[6] = &fault->key;
    return texts;
}

enum { TEXTS = 7 };

static void cut(struct span *text, size_t size_max)
{
    text->len = text->len < size_max ? text->len : size_max;
}

static struct parking_fault cut_fault(const struct parking_fault *fault)
{
    struct parking_fault whole = *fault;
    cut(&whole.reason, DEAD_LETTER_REASON_MAX);
    cut(&whole.stacktrace, DEAD_LETTER_STACKTRACE_MAX);
    cut(&whole.correlation_id, DEAD_LETTER_REASON_MAX);
    cut(&whole.traceability_id, DEAD_LETTER_REASON_MAX);
    cut(&whole.key, AUDIT_KEY_MAX);
    return whole;
}

static struct parked *parked_new(const struct parking_fault *fault, uint32_t count)
{
    struct parking_fault copy = cut_fault(fault);
    struct span *texts[TEXTS];
    size_t size = 0;
    (void)texts_of(&copy, texts);
    for (unsigned i = 0; i < TEXTS; i++)
        size += texts[i]->len;
    check(size <= TEXTS_MAX);
    struct parked *parked = malloc(sizeof *parked + size);
    if (parked == NULL)
        return NULL;
    *parked = (struct parked){.left = count};
    uint8_t *to = (uint8_t *)(parked + 1);
    for (unsigned i = 0; i < TEXTS; i++) {
        if (texts[i]->len > 0)
            memcpy(to, texts[i]->data, texts[i]->len);
        texts[i]->data = to;
        to += texts[i]->len;
    }
    parked->fault = copy;
    return parked;
}

enum err parking_fail(struct parking *parking,
                      struct group_claim **claims,
                      uint32_t count,
                      const struct parking_fault *fault,
                      void (*on_parked)(void *owner, enum err err),
                      void *owner)
{
    check(count > 0 && count <= PARKING_CLAIMS_MAX);
    struct parked *parked = parked_new(fault, count);
    enum err err =
        parked == NULL ? ERR_MEMORY : buffer_reserve(&parking->waiting, count * sizeof(struct waiting_claim));
    if (err != ERR_NONE) {
        free(parked);
        for (uint32_t i = 0; i < count; i++)
            group_claim_end(claims[i], ERR_MEMORY);
        return ERR_MEMORY;
    }
    parked->on_parked = on_parked;
    parked->owner = owner;
    for (uint32_t i = 0; i < count; i++) {
        struct waiting_claim waiting = {claims[i], parked, group_claim_position(claims[i])};
        memcpy(parking->waiting.data + parking->waiting.len, &waiting, sizeof waiting);
        parking->waiting.len += sizeof waiting;
    }
    parking->is_sorted = false;
    step_later(parking);
    return ERR_NONE;
}

/* --- Ends ----------------------------------------------------------------------------------------- */

static void end_claim(struct parked *parked, struct group_claim *claim, enum err err)
{
    group_claim_end(claim, err);
    if (parked->err == ERR_NONE)
        parked->err = err;
    if (--parked->left > 0)
        return;
    if (parked->on_parked != NULL)
        parked->on_parked(parked->owner, parked->err);
    free(parked);
}

static void log_given_back(enum err err, const struct store_position *position, uint32_t count)
{
    log_line(LOG_WARN, "deadletter", "records cannot be dead-lettered and go back to their group",
             "err=%s text=\"%s\" topic_id=%u partition=%u offset=%" PRIu64 " records=%u", err_name(err),
             err_text(err), position->topic, position->partition, position->offset, count);
}

static void give_back(struct sent_append *sent, enum err err)
{
    struct store_position position = group_claim_position(sent->claims[0].claim);
    log_given_back(err, &position, sent->count);
}

static void on_stored(void *owner, const struct built_append *append)
{
    struct sent_append *sent = owner;
    struct parking *parking = sent->parking;
    enum err err = append->append.ret_err;
    if (err != ERR_NONE)
        give_back(sent, err);
    for (uint32_t i = 0; i < sent->count; i++)
        end_claim(sent->claims[i].parked, sent->claims[i].claim, err);
    free(sent);
    step_later(parking);
}

/* --- Appends -------------------------------------------------------------------------------------- */

static struct sent_append *sent_new(struct parking *parking)
{
    struct sent_append *sent = malloc(sizeof *sent + parking->gathered.len);
    if (sent == NULL)
        return NULL;
    sent->parking = parking;
    sent->count = (uint32_t)(parking->gathered.len / sizeof(struct sent_claim));
    memcpy(sent->claims, parking->gathered.data, parking->gathered.len);
    return sent;
}

/* Without memory everything stays gathered, and is tried again with the next step. */
static enum err send_gathered(struct parking *parking)
{
    struct built_append *built;
    if (parking->gathered.len == 0)
        return ERR_NONE;
    struct sent_append *sent = sent_new(parking);
    if (sent == NULL)
        return ERR_MEMORY;
    enum err err =
        parking->drafter.replays.on_append == NULL
            ? ERR_NONE
            : parking->drafter.replays.on_append(parking->drafter.replays.owner, &parking->builder);
    if (err == ERR_NONE)
        err =
            append_builder_finish(&parking->builder, clock_wall_ns(parking->clock) / CLOCK_NS_PER_MS, &built);
    if (err != ERR_NONE) {
        free(sent);
        return err;
    }
    buffer_clear(&parking->gathered);
    err = append_queue_submit(&parking->queue, built, on_stored, sent);
    if (err != ERR_NONE) {
        give_back(sent, err);
        for (uint32_t i = 0; i < sent->count; i++)
            end_claim(sent->claims[i].parked, sent->claims[i].claim, err);
        free(sent);
    }
    return ERR_NONE;
}

/* --- Steps ---------------------------------------------------------------------------------------- */

/* Where the append is full the next one is begun; where even that does not do, the stack trace is left out. */
static enum err add_somewhere(struct parking *parking, struct letter_draft *draft)
{
    enum err err = letter_draft_add(draft, &parking->drafter, &parking->builder);
    if (err == ERR_NONE || parking->gathered.len == 0)
        return err;
    err = send_gathered(parking);
    return err == ERR_NONE ? letter_draft_add(draft, &parking->drafter, &parking->builder) : err;
}

static enum err add_draft(struct parking *parking, struct letter_draft *draft)
{
    enum err err = add_somewhere(parking, draft);
    if (err != ERR_TOO_LARGE || draft->fault->stacktrace.len == 0)
        return err;
    struct parking_fault shorter = *draft->fault;
    shorter.stacktrace.len = 0;
    draft->fault = &shorter;
    return add_somewhere(parking, draft);
}

static enum err park(struct parking *parking, const struct parking_fault *fault, struct group_claim *claim)
{
    struct record record;
    struct letter_draft draft = {.fault = fault, .position = group_claim_position(claim), .record = &record};
    enum err err = record_loader_load(&parking->loader, &draft.position, &record);
    if (err != ERR_NONE && err != ERR_EXPIRED)
        return err;
    draft.settled =
        group_claim_settled(claim, err == ERR_EXPIRED ? STORE_OUTCOME_EXPIRED : STORE_OUTCOME_SKIPPED);
    if (err == ERR_EXPIRED)
        draft.record = NULL;
    err = letter_draft_begin(&draft, &parking->drafter);
    return err == ERR_NONE ? add_draft(parking, &draft) : err;
}

static enum err remember(struct parking *parking, struct parked *parked, struct group_claim *claim)
{
    struct sent_claim sent = {claim, parked};
    return buffer_append(&parking->gathered, span_of(&sent, sizeof sent));
}

static bool is_enough(const struct parking *parking)
{
    return append_builder_size(&parking->builder) >= APPEND_SIZE ||
           parking->gathered.len == CLAIMS_OF_APPEND_MAX * sizeof(struct sent_claim);
}

/* --- What waits ----------------------------------------------------------------------------------- */

static struct waiting_claim *waiting_claims(const struct parking *parking)
{
    return (struct waiting_claim *)(void *)parking->waiting.data;
}

static uint32_t waiting_count(const struct parking *parking)
{
    return (uint32_t)(parking->waiting.len / sizeof(struct waiting_claim));
}

static int compare(const void *a, const void *b)
{
    const struct store_position *first = &((const struct waiting_claim *)a)->position;
    const struct store_position *second = &((const struct waiting_claim *)b)->position;
    if (first->topic != second->topic)
        return first->topic < second->topic ? -1 : 1;
    if (first->partition != second->partition)
        return first->partition < second->partition ? -1 : 1;
    return first->offset < second->offset ? -1 : first->offset > second->offset;
}

/* Records that lie together are read together. */
static void sort_waiting(struct parking *parking)
{
    if (!parking->is_sorted && waiting_count(parking) > parking->next)
        qsort(waiting_claims(parking) + parking->next, waiting_count(parking) - parking->next,
              sizeof(struct waiting_claim), compare);
    parking->is_sorted = true;
}

static bool has_waiting(struct parking *parking)
{
    if (parking->next < waiting_count(parking))
        return true;
    parking->next = 0;
    buffer_clear(&parking->waiting);
    if (parking->waiting.size > KEPT_SIZE)
        buffer_release(&parking->waiting);
    return false;
}

/* False: its record has to be waited for. */
static bool park_next(struct parking *parking)
{
    struct waiting_claim waiting = waiting_claims(parking)[parking->next];
    enum err err = buffer_reserve(&parking->gathered, sizeof(struct sent_claim));
    if (err == ERR_NONE)
        err = park(parking, &waiting.parked->fault, waiting.claim);
    if (err == ERR_PENDING)
        return false;
    parking->next++;
    if (err == ERR_NONE)
        err = remember(parking, waiting.parked, waiting.claim);
    if (err != ERR_NONE) {
        log_given_back(err, &waiting.position, 1);
        end_claim(waiting.parked, waiting.claim, err);
    } else {
        metric_add(METRIC_DEAD_LETTERS, 1);
    }
    return true;
}

static void step(struct parking *parking)
{
    enum err err = ERR_NONE;
    if (!parking->loader.is_reading)
        sort_waiting(parking);
    while (!parking->loader.is_reading && has_waiting(parking) && parking->queue.bytes < INFLIGHT_MAX &&
           err == ERR_NONE) {
        if (!park_next(parking))
            break;
        if (is_enough(parking))
            err = send_gathered(parking);
    }
    if (err == ERR_NONE)
        err = send_gathered(parking);
    if (err != ERR_NONE) /* no memory: what goes out gives some back */
        step_later(parking);
    if (parking_is_idle(parking))
        record_loader_rest(&parking->loader);
}
