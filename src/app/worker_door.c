/* Each kind of door is opened and closed by a row of a table. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/worker_door.h"

static enum err open_produce(struct worker_door *door,
                             const struct door_plan *plan,
                             struct worker_ground *ground,
                             struct why *why)
{
    enum err err = produce_door_init(&door->produce, &plan->settings, &ground->gate, plan->name, why);
    if (err != ERR_NONE)
        why_prefix(why, "%s: ", plan->name);
    door->door = &door->produce.door;
    return err;
}

static void close_produce(struct worker_door *door)
{
    produce_door_done(&door->produce);
}

static enum err open_subscribe(struct worker_door *door,
                               const struct door_plan *plan,
                               struct worker_ground *ground,
                               struct why *why)
{
    struct subscribe_options options = {.groups = ground->home.groups.groups,
                                        .parking = ground->home.letters.parking,
                                        .auto_create = plan->settings.auto_create,
                                        .lease_ns = plan->config->lease_ns};
    (void)why;
    subscribe_door_init(&door->subscribe, ground->gate.loop, plan->name, ground->gate.store, options);
    door->door = &door->subscribe.door;
    return ERR_NONE;
}

static void close_subscribe(struct worker_door *door)
{
    subscribe_door_done(&door->subscribe);
}

static enum err open_acks(struct worker_door *door,
                          const struct door_plan *plan,
                          struct worker_ground *ground,
                          struct why *why)
{
    struct acks_options options = {.is_kmq = plan->config->mode == CONFIG_KMQ,
                                   .has_keys = plan->config->keys};
    struct store *store = ground->gate.store;
    enum err err = store->ops->sequence_open(store, plan->settings.sequence, &options.sequence);
    if (err != ERR_NONE)
        return why_set(why, err, "%s: sequence %s: %s", plan->name, plan->config->sequence, err_text(err));
    acks_door_init(&door->acks, ground->gate.loop, plan->name, store, options);
    door->door = &door->acks.questions.door;
    return ERR_NONE;
}

static void close_acks(struct worker_door *door)
{
    acks_door_done(&door->acks);
}

/* The configuration's default is a template, which is a produce door's. */
static struct span topic_of(const struct config_door *door)
{
    return strchr(door->topic, '{') != NULL ? span_of("", 0) : span_from_text(door->topic);
}

static enum err open_status(struct worker_door *door,
                            const struct door_plan *plan,
                            struct worker_ground *ground,
                            struct why *why)
{
    struct status_options options = {.is_kmq = plan->config->mode == CONFIG_KMQ,
                                     .has_keys = plan->config->keys,
                                     .topic = topic_of(plan->config)};
    struct store *store = ground->gate.store;
    if (store->outcomes == NULL)
        return why_set(why, ERR_NOT_SUPPORTED, "%s: the store keeps no outcomes", plan->name);
    enum err err = store->ops->sequence_open(store, plan->settings.sequence, &options.sequence);
    if (err != ERR_NONE)
        return why_set(why, err, "%s: sequence %s: %s", plan->name, plan->config->sequence, err_text(err));
    status_door_init(&door->status, ground->gate.loop, plan->name, store, ground->receipts, options);
    door->door = &door->status.questions.door;
    return ERR_NONE;
}

static void close_status(struct worker_door *door)
{
    status_door_done(&door->status);
}

struct kind {
    bool is_at_home;
    enum err (*open)(struct worker_door *door,
                     const struct door_plan *plan,
                     struct worker_ground *ground,
                     struct why *why);
    void (*close)(struct worker_door *door);
};

static const struct kind kinds[] = {
    [CONFIG_PRODUCE] = {false, open_produce, close_produce},
    [CONFIG_SUBSCRIBE] = {true, open_subscribe, close_subscribe},
    [CONFIG_ACKS] = {false, open_acks, close_acks},
    [CONFIG_STATUS] = {false, open_status, close_status},
};

bool worker_door_is_at_home(const struct door_plan *plan)
{
    return kinds[plan->config->serve].is_at_home;
}

enum err worker_door_open(struct worker_door *door,
                          const struct door_plan *plan,
                          struct worker_ground *ground,
                          struct why *why)
{
    door->serve = (enum config_serve)plan->config->serve;
    door->plan = plan;
    enum err err = kinds[door->serve].open(door, plan, ground, why);
    if (err != ERR_NONE)
        return err;
    err = door_listen(door->door, &plan->socket);
    if (err == ERR_NONE)
        return ERR_NONE;
    worker_door_close(door);
    return why_set(why, err, "%s cannot listen: %s", plan->name, err_text(err));
}

void worker_door_close(struct worker_door *door)
{
    kinds[door->serve].close(door);
}
