/* Live groups in thousands of random schedules, with a plain model beside them that knows what may happen and what must. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "support/group_world.h"
#include "support/test.h"
#include "support/test_append.h"

/*
 * Rule zero: the model, the steps and the checks are one thing, read together.
 *
 * The model keeps for every record who holds it and whether somebody settled it. After each step:
 *   - what the store calls settled was settled by somebody, or expired, or lay before a seek;
 *   - a record is given only when it is free, and no earlier one of its key is free or in other hands;
 *   - attempts, windows and counts agree.
 * In the end one last member takes all there is: nothing was lost, and the low-water marks stand at the end.
 */
enum {
    PARTITIONS_MAX = 3,
    PLACES_MAX = PARTITIONS_MAX + 1, /* and the dead letters */
    RECORDS_MAX = 600,
    MEMBERS = 4,
    KEYS = 7,
    CLAIMS_MAX = 16,
    STEPS = 500,
};

enum hand { FREE, OPEN, CLAIMED, SETTLED };

struct model_record {
    int key; /* -1: none */
    uint64_t seq;
    enum hand hand;
    uint64_t holder; /* the member's id */
    uint16_t attempts;
};

struct model_place {
    uint32_t topic;
    uint32_t partition;
    struct model_record records[RECORDS_MAX];
    uint64_t count;
    uint64_t start;
    uint64_t sought; /* what lies below any seek may be SKIPPED */
};

struct model_member {
    struct test_member test;
    uint64_t id;
    uint32_t window;
};

struct model_claim {
    struct group_claim *claim;
    struct model_record *record;
    struct test_append *append; /* under way, or NULL */
    struct store_settled settled;
};

struct world {
    struct group_world groups;
    struct random random;
    uint64_t seed;
    struct model_place places[PLACES_MAX];
    uint32_t place_count; /* the last one is that of the dead letters */
    struct model_member members[MEMBERS];
    uint64_t ids;
    struct model_claim claims[CLAIMS_MAX];
    struct group_source *source;
    uint64_t source_from;
    uint64_t source_to;
    bool source_has_ended;
    bool is_seeking; /* a seek is under way: everything of its place is in doubt */
    uint32_t sought_place;
    uint64_t next_seq;
    bool is_held;
    bool is_full;
    uint64_t given;
};

static uint64_t chance(struct world *world, uint64_t limit)
{
    return random_below(&world->random, limit);
}

#define FAIL(world, ...)                                                                                     \
    do {                                                                                                     \
        fprintf(stderr, "seed %" PRIu64 "\n", (world)->seed);                                                \
        test_fail(__VA_ARGS__);                                                                              \
    } while (0)

static uint32_t group_of(struct world *world)
{
    uint32_t group;
    struct store *store = world->groups.store;
    expect_fine(store->outcomes->group_open(store, span_from_text("g"), true, &group));
    return group;
}

static struct model_place *dead_letters(struct world *world)
{
    return &world->places[world->place_count - 1];
}

static struct model_place *place_of(struct world *world, const struct store_position *position)
{
    for (uint32_t i = 0; i < world->place_count; i++)
        if (world->places[i].topic == position->topic && world->places[i].partition == position->partition)
            return &world->places[i];
    FAIL(world, "a record of a place that is not there");
    return NULL;
}

static enum store_outcome outcome_of(struct world *world, const struct model_place *place, uint64_t offset)
{
    struct store *store = world->groups.store;
    return store->outcomes->outcome(store, group_of(world),
                                    (struct store_position){place->topic, place->partition, offset});
}

static struct store_progress progress_of(struct world *world, const struct model_place *place)
{
    struct store *store = world->groups.store;
    struct store_progress progress;
    expect_fine(store->outcomes->progress(store, group_of(world), place->topic, place->partition, &progress));
    return progress;
}

/* --- Records come in ------------------------------------------------------------------------------- */

static void store_some(struct world *world, struct model_place *place)
{
    uint32_t count = (uint32_t)(1 + chance(world, 3));
    int key = (int)chance(world, KEYS) - 1;
    char text[16];
    struct store_topic topic = {.id = place->topic};
    if (place->count + count > RECORDS_MAX)
        return;
    (void)snprintf(text, sizeof text, "key-%d", key);
    /* Mostly a producer that counts along, sometimes one that repeats a number, or none. */
    uint64_t seq = chance(world, 5) == 0 ? chance(world, 4) : world->next_seq;
    world->next_seq += seq == world->next_seq ? count : 0;
    test_append_store(
        world->groups.store, &topic, place->partition,
        (struct test_records){.key = key < 0 ? NULL : text, .value = "value", .seq = seq, .count = count});
    for (uint32_t i = 0; i < count; i++)
        place->records[place->count++] = (struct model_record){.key = key, .seq = seq > 0 ? seq + i : 0};
}

static void step_store_records(struct world *world)
{
    if (!world->is_held && !world->is_full)
        store_some(world, &world->places[chance(world, world->place_count)]);
}

/* --- Records go out -------------------------------------------------------------------------------- */

static void check_order(struct world *world,
                        const struct model_member *member,
                        const struct model_place *place,
                        uint64_t offset)
{
    const struct model_record *given = &place->records[offset];
    bool is_replay = place == dead_letters(world);
    for (uint64_t i = is_replay ? world->source_from : 0; given->key >= 0 && i < offset; i++) {
        const struct model_record *earlier = &place->records[i];
        if (earlier->key != given->key || earlier->hand == SETTLED)
            continue;
        if (earlier->hand != FREE && earlier->holder == member->id)
            continue;
        /* What lies before the group's place, or what retention took, is not given any more. */
        if (earlier->hand == FREE && (i < place->start || outcome_of(world, place, i) != STORE_OUTCOME_OPEN))
            continue;
        FAIL(world, "offset %" PRIu64 " of key %d is given while %" PRIu64 " is %s", offset, given->key, i,
             earlier->hand == FREE ? "free" : "in other hands");
    }
}

static void note_given(struct world *world, struct model_member *member, const struct group_item *item)
{
    struct model_place *place = place_of(world, &item->position);
    uint64_t offset = item->position.offset;
    if (offset >= place->count)
        FAIL(world, "offset %" PRIu64 " is given and was not stored", offset);
    struct model_record *record = &place->records[offset];
    if (record->hand != FREE)
        FAIL(world, "offset %" PRIu64 " is given and is not free", offset);
    if (outcome_of(world, place, offset) != STORE_OUTCOME_OPEN)
        FAIL(world, "offset %" PRIu64 " is given and has an outcome", offset);
    check_order(world, member, place, offset);
    record->attempts++;
    if (item->attempts != record->attempts)
        FAIL(world, "offset %" PRIu64 " has %u attempts, not %u", offset, item->attempts, record->attempts);
    expect_equal_u64(item->seq, record->seq);
    expect(item->record->key_is_null == (record->key < 0));
    expect(item->is_replayed == (place == dead_letters(world)));
    record->hand = OPEN;
    record->holder = member->id;
    world->given++;
}

static uint64_t count_open(struct world *world, const struct model_member *member)
{
    uint64_t count = 0;
    for (uint32_t p = 0; p < world->place_count; p++)
        for (uint64_t i = 0; i < world->places[p].count; i++)
            count +=
                world->places[p].records[i].hand == OPEN && world->places[p].records[i].holder == member->id;
    return count;
}

static void check_member(struct world *world, const struct model_member *member)
{
    if (member->test.member == NULL)
        return;
    uint64_t open = count_open(world, member);
    if (group_member_open(member->test.member) != open)
        FAIL(world, "a member holds %u records, not %" PRIu64, group_member_open(member->test.member), open);
}

static void take_some(struct world *world, struct model_member *member, uint64_t count)
{
    struct group_item item;
    for (; count > 0 && member->test.member != NULL; count--) {
        bool was_full = group_member_open(member->test.member) >= member->window;
        enum err err = group_member_next(member->test.member, &item);
        if (err == ERR_AGAIN)
            return;
        expect_fine(err);
        expect(!was_full);
        note_given(world, member, &item);
    }
}

static struct model_member *any_member(struct world *world)
{
    return &world->members[chance(world, MEMBERS)];
}

static void step_take(struct world *world)
{
    take_some(world, any_member(world), 1 + chance(world, 20));
}

/* --- Members come and go --------------------------------------------------------------------------- */

/* What the member holds is free again. */
static void note_returned(struct world *world, const struct model_member *member)
{
    for (uint32_t p = 0; p < world->place_count; p++) {
        for (uint64_t i = 0; i < world->places[p].count; i++) {
            struct model_record *record = &world->places[p].records[i];
            if (record->hand == OPEN && record->holder == member->id)
                record->hand = FREE;
        }
    }
}

static void check_lapsed(struct world *world)
{
    for (unsigned i = 0; i < MEMBERS; i++) {
        struct model_member *member = &world->members[i];
        if (member->test.member == NULL || member->test.lapsed == 0)
            continue;
        expect_equal_u64(member->test.lapsed, count_open(world, member));
        note_returned(world, member);
        member->test.lapsed = 0;
    }
}

static void turn(struct world *world)
{
    group_world_turn(&world->groups);
    check_lapsed(world);
}

static void join(struct world *world, struct model_member *member, int64_t lease_ns, uint32_t window)
{
    struct group_member_settings settings = {
        .topic = world->groups.topic.id,
        .partition = GROUP_ALL_PARTITIONS,
        .from = (enum group_from)chance(world, 3),
        .offset = chance(world, 5),
        .window = window,
        .lease_ns = lease_ns,
        .by = span_from_text("somebody"),
    };
    struct group *group = group_world_group(&world->groups, "g");
    for (uint32_t i = 0; i + 1 < world->place_count; i++) {
        struct model_place *place = &world->places[i];
        uint64_t begin = settings.from == GROUP_FROM_START ? place->start
                         : settings.from == GROUP_FROM_END ? place->count
                                                           : settings.offset;
        if (!progress_of(world, place).has_begun && begin > place->sought)
            place->sought = begin;
    }
    test_member_join(&member->test, group, &settings);
    member->id = ++world->ids;
    member->window = window;
}

static void leave(struct world *world, struct model_member *member)
{
    test_member_leave(&member->test);
    note_returned(world, member);
}

static void step_membership(struct world *world)
{
    struct model_member *member = any_member(world);
    if (member->test.member == NULL)
        join(world, member, chance(world, 2) == 0 ? 0 : (int64_t)(1 + chance(world, 5)) * CLOCK_NS_PER_S,
             (uint32_t)(1 + chance(world, 20)));
    else if (chance(world, 4) == 0)
        leave(world, member);
    else
        group_member_renew(member->test.member);
}

static void step_window(struct world *world)
{
    struct model_member *member = any_member(world);
    if (member->test.member == NULL)
        return;
    member->window = (uint32_t)(1 + chance(world, 40));
    group_member_set_window(member->test.member, member->window);
}

/* --- Records are settled --------------------------------------------------------------------------- */

/* A record that the member holds, and one way to speak of it (and perhaps of others). NULL: it holds none. */
static struct model_record *
choose_open(struct world *world, const struct model_member *member, struct group_select *select)
{
    uint64_t open = member->test.member == NULL ? 0 : count_open(world, member);
    uint64_t nth = open == 0 ? 0 : chance(world, open);
    for (uint32_t p = 0; open > 0 && p < world->place_count; p++) {
        struct model_place *place = &world->places[p];
        for (uint64_t i = 0; i < place->count; i++) {
            struct model_record *record = &place->records[i];
            if (record->hand != OPEN || record->holder != member->id || nth-- > 0)
                continue;
            *select = (struct group_select){.position = {place->topic, place->partition, i}};
            if (record->seq == 0 || chance(world, 3) == 0)
                return record;
            select->from = record->seq;
            select->to = record->seq + (chance(world, 2) == 0 ? 0 : chance(world, 100));
            return record;
        }
    }
    return NULL;
}

static bool is_selected(const struct model_place *place, uint64_t offset, const struct group_select *select)
{
    if (select->from == 0)
        return place->topic == select->position.topic && place->partition == select->position.partition &&
               offset == select->position.offset;
    uint64_t seq = place->records[offset].seq;
    return seq >= select->from && seq <= select->to;
}

/* All of them that the member holds get into another hand; how many. */
static uint64_t move_selected(struct world *world,
                              const struct model_member *member,
                              const struct group_select *select,
                              enum hand hand)
{
    uint64_t count = 0;
    for (uint32_t p = 0; p < world->place_count; p++) {
        struct model_place *place = &world->places[p];
        for (uint64_t i = 0; i < place->count; i++) {
            struct model_record *record = &place->records[i];
            if (record->hand != OPEN || record->holder != member->id || !is_selected(place, i, select))
                continue;
            record->hand = hand;
            count++;
        }
    }
    return count;
}

static void step_done(struct world *world)
{
    struct model_member *member = any_member(world);
    struct group_select select;
    if (choose_open(world, member, &select) == NULL)
        return;
    uint64_t count = group_member_done(member->test.member, &select, 200);
    expect_equal_u64(count, move_selected(world, member, &select, SETTLED));
}

static void step_retry(struct world *world)
{
    struct model_member *member = any_member(world);
    struct group_select select;
    if (choose_open(world, member, &select) == NULL)
        return;
    int64_t delay_ns = chance(world, 2) == 0 ? 0 : (int64_t)chance(world, 3000) * CLOCK_NS_PER_MS;
    uint64_t count = group_member_retry(member->test.member, &select, delay_ns);
    expect_equal_u64(count, move_selected(world, member, &select, FREE));
}

static struct model_claim *free_claim(struct world *world)
{
    for (unsigned i = 0; i < CLAIMS_MAX; i++)
        if (world->claims[i].claim == NULL)
            return &world->claims[i];
    return NULL;
}

static void step_claim(struct world *world)
{
    struct model_member *member = any_member(world);
    struct model_claim *claim = free_claim(world);
    struct group_select select;
    if (claim == NULL || choose_open(world, member, &select) == NULL)
        return;
    expect_equal_u64(group_member_claim(member->test.member, &select, &claim->claim, 1), 1);
    struct store_position position = group_claim_position(claim->claim);
    struct model_place *place = place_of(world, &position);
    claim->record = &place->records[position.offset];
    expect(claim->record->hand == OPEN && claim->record->holder == member->id);
    expect(is_selected(place, position.offset, &select));
    claim->record->hand = CLAIMED;
}

static void end_claim(struct model_claim *claim, enum err err)
{
    claim->record->hand = err == ERR_NONE ? SETTLED : FREE;
    claim->claim = group_claim_end(claim->claim, err);
    if (claim->append != NULL)
        claim->append = test_append_free(claim->append);
}

/* Sends the append of a claim, or ends it when that is over. */
static void step_claim_on(struct world *world, struct model_claim *claim)
{
    if (claim->claim == NULL)
        return;
    if (claim->append != NULL) {
        if (claim->append->is_done)
            end_claim(claim, claim->append->append.ret_err);
    } else if (chance(world, 4) == 0) {
        end_claim(claim, ERR_MEMORY);
    } else {
        claim->append = test_append_new(&world->groups.mailbox);
        claim->settled = group_claim_settled(claim->claim, STORE_OUTCOME_SKIPPED);
        claim->append->append.settled = &claim->settled;
        claim->append->append.settled_count = 1;
        claim->append->append.urgent = true;
        expect_fine(world->groups.store->ops->append(world->groups.store, &claim->append->append));
    }
}

static void step_unseen(struct world *world)
{
    struct model_place *place = &world->places[chance(world, world->place_count - 1)];
    if (place->count == 0)
        return;
    uint64_t from = chance(world, place->count);
    uint64_t count = 1 + chance(world, 5);
    struct group *group = group_world_group(&world->groups, "g");
    struct store_settled settled = {.group = group_id(group),
                                    .topic = place->topic,
                                    .partition = place->partition,
                                    .offset = from,
                                    .count = (uint32_t)(from + count > place->count ? 1 : count),
                                    .outcome = STORE_OUTCOME_DONE};
    if (!progress_of(world, place).has_begun || world->is_seeking)
        return;
    /* What is in somebody's hands is left alone here: both might settle it. */
    for (uint64_t i = from; i < from + settled.count; i++)
        if (place->records[i].hand == OPEN || place->records[i].hand == CLAIMED)
            return;
    expect_fine(group_settle_unseen(group, &settled, 1, NULL, NULL, NULL));
    for (uint64_t i = from; i < from + settled.count; i++)
        place->records[i].hand = SETTLED;
}

/* --- Operators and retention ------------------------------------------------------------------------ */

static void step_expire(struct world *world)
{
    struct model_place *place = &world->places[chance(world, world->place_count - 1)];
    if (place->count == place->start)
        return;
    place->start += chance(world, place->count - place->start < 8 ? place->count - place->start + 1 : 8);
    store_memory_expire(world->groups.store, place->topic, place->partition, place->start);
}

/* From there on all is free, whatever was said before. */
static void on_sought(void *owner, enum err err)
{
    struct world *world = owner;
    struct model_place *place = &world->places[world->sought_place];
    world->is_seeking = false;
    for (uint64_t i = 0; err == ERR_NONE && i < place->count; i++) {
        if (i >= progress_of(world, place).low)
            place->records[i].hand = FREE;
        place->records[i].attempts = 0;
    }
}

static void step_seek(struct world *world)
{
    if (world->is_seeking || world->is_held)
        return;
    uint32_t number = (uint32_t)chance(world, world->place_count - 1);
    struct model_place *place = &world->places[number];
    uint64_t offset = chance(world, place->count + 1);
    struct group *group = group_world_group(&world->groups, "g");
    if (!progress_of(world, place).has_begun)
        return;
    enum err err = group_seek(group, place->topic, place->partition, offset, on_sought, world);
    if (err == ERR_BUSY)
        return;
    expect_fine(err);
    world->is_seeking = true;
    world->sought_place = number;
    place->sought = offset > place->sought ? offset : place->sought;
    for (uint64_t i = 0; i < place->count; i++)
        if (place->records[i].hand == OPEN)
            place->records[i].hand = FREE;
}

static void on_source_end(void *owner)
{
    struct world *world = owner;
    world->source_has_ended = true;
}

static void remove_source(struct world *world)
{
    if (world->source_has_ended)
        for (uint64_t i = world->source_from; i < world->source_to; i++)
            if (dead_letters(world)->records[i].hand != SETTLED)
                FAIL(world, "a replay ended before dead letter %" PRIu64 " was settled", i);
    world->source = group_remove_source(world->source);
}

static void add_source(struct world *world, uint64_t to)
{
    struct model_place *place = dead_letters(world);
    struct group *group = group_world_group(&world->groups, "g");
    struct group_source_events events = {.on_end = on_source_end, .owner = world};
    struct group_range range = {place->topic, place->partition, 0, to, group_id(group)};
    while (range.from < to && place->records[range.from].hand == SETTLED)
        range.from++;
    if (range.from == to)
        return;
    /* What an earlier replay has still in hands would be met by this one. */
    for (uint64_t i = 0; i < place->count; i++)
        if (place->records[i].hand == OPEN || place->records[i].hand == CLAIMED)
            return;
    world->source_from = range.from;
    world->source_to = to;
    world->source_has_ended = false;
    expect_fine(group_add_source(group, world->groups.topic.id, &range, &events, &world->source));
}

static void step_source(struct world *world)
{
    if (world->source == NULL && dead_letters(world)->count > 0)
        add_source(world, 1 + chance(world, dead_letters(world)->count));
    else if (world->source != NULL && (world->source_has_ended || chance(world, 10) == 0))
        remove_source(world);
    else if (world->source != NULL)
        group_source_credit(world->source, 1 + chance(world, 10));
}

/* --- The store's moods, and crashes ------------------------------------------------------------------ */

static void step_mood(struct world *world)
{
    struct store *store = world->groups.store;
    world->is_held = chance(world, 3) == 0;
    world->is_full = chance(world, 4) == 0;
    store_memory_set_slow_reads(store, chance(world, 2) == 0);
    store_memory_set_inflight_max(store, 1 + chance(world, 2) * 1000000);
    store_memory_hold(store, world->is_held);
    store_memory_set_state(store, world->is_full ? STORE_FULL : STORE_OPEN);
}

static void forget_attempts(struct world *world)
{
    for (uint32_t p = 0; p < world->place_count; p++) {
        struct model_place *place = &world->places[p];
        for (uint64_t i = 0; i < place->count; i++) {
            struct model_record *record = &place->records[i];
            record->attempts = 0;
            /* Of what was said only what is synced counts. */
            record->hand = outcome_of(world, place, i) == STORE_OUTCOME_OPEN ? FREE : SETTLED;
        }
    }
}

static void step_crash(struct world *world)
{
    struct store *store = world->groups.store;
    (void)store_memory_finish(store, (uint32_t)chance(world, 3));
    store_memory_set_state(store, STORE_BROKEN);
    store_memory_hold(store, false);
    turn(world);
    if (world->source != NULL)
        world->source = group_remove_source(world->source);
    for (unsigned i = 0; i < CLAIMS_MAX; i++)
        if (world->claims[i].claim != NULL)
            end_claim(&world->claims[i], ERR_BROKEN);
    for (unsigned i = 0; i < MEMBERS; i++)
        if (world->members[i].test.member != NULL)
            leave(world, &world->members[i]);
    group_world_stop(&world->groups);
    world->is_seeking = false;
    world->is_held = false;
    world->is_full = false;
    store_memory_set_state(store, STORE_OPEN);
    forget_attempts(world);
    group_world_start(&world->groups);
}

static void step_time(struct world *world)
{
    group_world_pass(&world->groups, (int64_t)chance(world, 2000) * CLOCK_NS_PER_MS);
    check_lapsed(world);
}

/* --- What must hold ---------------------------------------------------------------------------------- */

static void check_place(struct world *world, const struct model_place *place, bool is_quiet)
{
    uint64_t low = progress_of(world, place).has_begun ? progress_of(world, place).low : 0;
    for (uint64_t i = 0; i < place->count; i++) {
        const struct model_record *record = &place->records[i];
        enum store_outcome outcome = outcome_of(world, place, i);
        bool is_settled = outcome != STORE_OUTCOME_OPEN;
        if (outcome == STORE_OUTCOME_EXPIRED && (i >= place->start || record->hand == OPEN))
            FAIL(world, "offset %" PRIu64 " is expired and is not gone", i);
        if (outcome == STORE_OUTCOME_SKIPPED && record->hand != SETTLED && record->hand != CLAIMED &&
            i >= place->sought)
            FAIL(world, "offset %" PRIu64 " is skipped and nobody said so", i);
        if (outcome == STORE_OUTCOME_DONE && record->hand != SETTLED)
            FAIL(world, "offset %" PRIu64 " is done and nobody said so", i);
        if (is_quiet && record->hand == SETTLED && !is_settled)
            FAIL(world, "the outcome of offset %" PRIu64 " is lost", i);
        if ((i < low && !is_settled) || (i == low && is_settled))
            FAIL(world, "the low-water mark %" PRIu64 " is wrong at %" PRIu64, low, i);
    }
}

static bool has_claims(const struct world *world)
{
    for (unsigned i = 0; i < CLAIMS_MAX; i++)
        if (world->claims[i].claim != NULL)
            return true;
    return false;
}

static void check_all(struct world *world)
{
    bool is_quiet = !world->is_held && !world->is_seeking && groups_is_idle(world->groups.groups);
    for (uint32_t i = 0; i < world->place_count; i++)
        if (!world->is_seeking || world->sought_place != i)
            check_place(world, &world->places[i], is_quiet);
    for (unsigned i = 0; i < MEMBERS; i++)
        check_member(world, &world->members[i]);
}

static void step(struct world *world)
{
    uint64_t what = chance(world, 100);
    if (what < 20)
        step_store_records(world);
    else if (what < 50)
        step_take(world);
    else if (what < 65)
        step_done(world);
    else if (what < 71)
        step_retry(world);
    else if (what < 75)
        step_claim(world);
    else if (what < 79)
        step_membership(world);
    else if (what < 81)
        step_window(world);
    else if (what < 84)
        step_time(world);
    else if (what < 88)
        step_mood(world);
    else if (what < 90)
        (void)store_memory_finish(world->groups.store, (uint32_t)chance(world, 3));
    else if (what < 91)
        step_expire(world);
    else if (what < 93)
        step_unseen(world);
    else if (what < 94)
        step_seek(world);
    else if (what < 98)
        step_source(world);
    else if (what < 99 && chance(world, 4) == 0)
        step_crash(world);
    for (unsigned i = 0; i < CLAIMS_MAX; i++)
        if (chance(world, 3) == 0)
            step_claim_on(world, &world->claims[i]);
    if (chance(world, 2) == 0) {
        turn(world);
        check_all(world);
    }
}

/* --- The whole --------------------------------------------------------------------------------------- */

static void begin(struct world *world, uint64_t seed)
{
    *world = (struct world){.seed = seed, .next_seq = 1000};
    random_seed(&world->random, seed);
    uint32_t partitions = (uint32_t)(1 + chance(world, PARTITIONS_MAX));
    group_world_begin(&world->groups, partitions);
    struct store_topic dead;
    expect_fine(world->groups.store->ops->topic_open(world->groups.store, span_from_text("orders.dlq"), 1,
                                                     true, &dead));
    for (uint32_t i = 0; i < partitions; i++)
        world->places[i] = (struct model_place){.topic = world->groups.topic.id, .partition = i};
    world->places[partitions] = (struct model_place){.topic = dead.id};
    world->place_count = partitions + 1;
    group_world_stop(&world->groups);
    world->groups.settings.span_max = chance(world, 2) == 0 ? 0 : 5 + chance(world, 50);
    world->groups.settings.seed = seed;
    group_world_start(&world->groups);
}

static void calm_down(struct world *world)
{
    struct store *store = world->groups.store;
    world->is_held = false;
    store_memory_set_state(store, STORE_OPEN);
    store_memory_set_inflight_max(store, 4 << 20);
    store_memory_hold(store, false);
    turn(world);
    while (has_claims(world)) {
        for (unsigned i = 0; i < CLAIMS_MAX; i++)
            step_claim_on(world, &world->claims[i]);
        turn(world);
    }
    if (world->source != NULL)
        remove_source(world);
    turn(world);
    expect(!world->is_seeking);
}

/* All leave; one more takes and settles all there is. */
static void expect_nothing_lost(struct world *world)
{
    struct model_member *last = &world->members[0];
    calm_down(world);
    for (unsigned i = 0; i < MEMBERS; i++)
        if (world->members[i].test.member != NULL)
            leave(world, &world->members[i]);
    turn(world);
    join(world, last, 0, 1000);
    turn(world);
    add_source(world, dead_letters(world)->count);
    if (world->source != NULL)
        group_source_credit(world->source, RECORDS_MAX);
    for (unsigned i = 0; i < 10; i++) {
        take_some(world, last, UINT64_MAX);
        struct group_select all = {.from = 1, .to = UINT64_MAX};
        (void)group_member_done(last->test.member, &all, 0);
        (void)move_selected(world, last, &all, SETTLED);
        struct group_select one;
        while (choose_open(world, last, &one) != NULL) {
            expect_equal_u64(group_member_done(last->test.member, &one, 0),
                             move_selected(world, last, &one, SETTLED));
        }
        group_world_pass(&world->groups, CLOCK_NS_PER_S);
        check_all(world);
    }
    for (uint32_t i = 0; i < world->place_count; i++) {
        const struct model_place *place = &world->places[i];
        if (progress_of(world, place).low < place->count)
            FAIL(world, "of partition %u only %" PRIu64 " of %" PRIu64 " are settled", i,
                 progress_of(world, place).low, place->count);
    }
    if (world->source != NULL) {
        expect(world->source_has_ended);
        remove_source(world);
    }
    leave(world, last);
}

TEST(random_schedules_lose_nothing_and_settle_nothing_by_themselves)
{
    uint64_t rounds = test_number_from_environment("WAYBILL_GROUP_ROUNDS", 400) /
                      test_number_from_environment("WAYBILL_SPARSE", 1);
    uint64_t first = test_number_from_environment("WAYBILL_GROUP_SEED", 1);
    uint64_t given = 0;
    struct world *world = malloc(sizeof *world);
    check(world != NULL);
    for (uint64_t seed = first; seed < first + rounds; seed++) {
        begin(world, seed);
        for (unsigned i = 0; i < STEPS; i++)
            step(world);
        expect_nothing_lost(world);
        given += world->given;
        group_world_end(&world->groups);
    }
    printf("seeds %" PRIu64 " to %" PRIu64 ": %" PRIu64 " records given\n", first, first + rounds - 1, given);
    free(world);
}

TEST_MAIN(random_schedules_lose_nothing_and_settle_nothing_by_themselves)
