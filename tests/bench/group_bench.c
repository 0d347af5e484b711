/* Prints how many records a second one core gives to the members of groups, and takes back as done: without sockets and disk. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "group/group.h"
#include "store/append_builder.h"
#include "store/store_memory.h"

enum {
    RECORDS = 2000000,
    VALUE_SIZE = 70, /* with key, number and framing about 100 B */
    KEYS = 1000,
    WINDOW = 100000,
    BATCH = 5000, /* records of one append, as one read of a door makes it */
    GROUPS = 10,
    TURN = 1000, /* records between two ends of a turn */
};

struct bench {
    struct store *store;
    struct mailbox mailbox;
    struct store_topic topic;
    struct groups *groups;
    bool is_work_wanted;
};

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void on_work(void *owner)
{
    struct bench *bench = owner;
    bench->is_work_wanted = true;
}

static void on_due(void *owner, int64_t after_ns)
{
    (void)owner;
    (void)after_ns;
}

static void on_ready(void *owner)
{
    (void)owner;
}

static void turn(struct bench *bench)
{
    while (mailbox_deliver(&bench->mailbox) > 0 || bench->is_work_wanted) {
        bench->is_work_wanted = false;
        groups_step(bench->groups);
    }
}

static void on_stored(struct mail *mail)
{
    struct store_append *append = LIST_OWNER(mail, struct store_append, mail);
    built_append_free(LIST_OWNER(append, struct built_append, append));
}

static void store_batch(struct bench *bench, struct append_builder *builder, uint64_t seq)
{
    static const uint8_t value[VALUE_SIZE];
    struct built_append *built;
    for (uint64_t i = seq; i < seq + BATCH; i++) {
        char key[16];
        char number[24];
        int key_len = snprintf(key, sizeof key, "key-%llu", (unsigned long long)(i * 7919 % KEYS));
        int number_len = snprintf(number, sizeof number, "%llu", (unsigned long long)i);
        struct record_header header = {.name = span_from_text("seq"),
                                       .value = span_of(number, (size_t)number_len)};
        struct record record = {.key = span_of(key, (size_t)key_len),
                                .value = span_of(value, VALUE_SIZE),
                                .headers = &header,
                                .header_count = 1};
        struct append_builder_place place;
        check(append_builder_add_record(builder, bench->topic.id, 0, &record, &place) == ERR_NONE);
    }
    check(append_builder_finish(builder, 1, &built) == ERR_NONE);
    built->append.mail.on_delivered = on_stored;
    built->append.reply_to = &bench->mailbox;
    check(bench->store->ops->append(bench->store, &built->append) == ERR_NONE);
    (void)mailbox_deliver(&bench->mailbox);
}

static void begin(struct bench *bench)
{
    struct append_builder builder;
    *bench = (struct bench){.store = store_memory_new(clock_linux())};
    mailbox_init(&bench->mailbox, stay_asleep, NULL);
    check(bench->store->ops->topic_open(bench->store, span_from_text("orders"), 1, true, &bench->topic) ==
          ERR_NONE);
    append_builder_init(&builder, bench->store);
    for (uint64_t seq = 1; seq <= RECORDS; seq += BATCH)
        store_batch(bench, &builder, seq);
    append_builder_done(&builder);
    struct groups_settings settings = {.seed = 1};
    struct groups_events events = {.on_work = on_work, .on_due = on_due, .owner = bench};
    check(groups_new(bench->store, &bench->mailbox, clock_linux(), &settings, &events, &bench->groups) ==
          ERR_NONE);
}

static void end(struct bench *bench)
{
    turn(bench);
    groups_free(bench->groups);
    (void)mailbox_deliver(&bench->mailbox);
    mailbox_done(&bench->mailbox);
    store_memory_free(bench->store);
}

static struct group_member *join(struct bench *bench, const char *name)
{
    struct group *group;
    struct group_member *member;
    struct group_member_settings settings = {
        .topic = bench->topic.id,
        .partition = GROUP_ALL_PARTITIONS,
        .window = WINDOW,
        .lease_ns = 60 * CLOCK_NS_PER_S,
        .by = span_from_text("bench"),
    };
    struct group_member_events events = {.on_ready = on_ready};
    check(groups_open(bench->groups, span_from_text(name), &group) == ERR_NONE);
    check(group_join(group, &settings, &events, &member) == ERR_NONE);
    turn(bench);
    return member;
}

/* Takes what there is, at most `count` and not far beyond `offset`, and says done of it in one range. */
static uint64_t take(struct group_member *member, uint64_t count, uint64_t offset)
{
    struct group_item item;
    struct group_select select = {0};
    uint64_t taken = 0;
    while (taken < count && group_member_next(member, &item) == ERR_NONE) {
        select.from = taken == 0 ? item.seq : select.from;
        select.to = item.seq;
        taken++;
        if (item.position.offset >= offset)
            break;
    }
    if (taken > 0)
        check(group_member_done(member, &select, 0) >= taken);
    return taken;
}

static double seconds_since(int64_t start_ns)
{
    return (double)(clock_now_ns(clock_linux()) - start_ns) / 1e9;
}

static double run_groups(unsigned groups)
{
    struct bench bench;
    struct group_member *members[GROUPS];
    uint64_t taken = 0;
    begin(&bench);
    for (unsigned i = 0; i < groups; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "g%u", i);
        members[i] = join(&bench, name);
    }
    int64_t start_ns = clock_now_ns(clock_linux());
    for (uint64_t before = UINT64_MAX; before != taken;) {
        before = taken;
        for (unsigned i = 0; i < groups; i++)
            taken += take(members[i], TURN, UINT64_MAX);
        turn(&bench);
    }
    double rate = (double)taken / seconds_since(start_ns);
    check(taken == (uint64_t)RECORDS * groups);
    printf("%-36s %6.2f million records/s\n",
           groups == 1 ? "one group, given and done by ranges" : "ten groups", rate / 1e6);
    for (unsigned i = 0; i < groups; i++)
        group_leave(members[i]);
    end(&bench);
    return rate;
}

static void shuffle(uint64_t *numbers, uint64_t count)
{
    struct random random;
    random_seed(&random, 1);
    for (uint64_t i = count - 1; i > 0; i--) {
        uint64_t j = random_below(&random, i + 1);
        uint64_t number = numbers[i];
        numbers[i] = numbers[j];
        numbers[j] = number;
    }
}

/* Window after window: given, then done one by one in another order. */
static void run_singles(bool is_shuffled)
{
    struct bench bench;
    uint64_t *numbers = malloc(WINDOW * sizeof *numbers);
    double give = 0;
    double settle = 0;
    uint64_t total = 0;
    check(numbers != NULL);
    begin(&bench);
    struct group_member *member = join(&bench, "g");
    for (uint64_t count = 1; count > 0; total += count) {
        struct group_item item;
        int64_t start_ns = clock_now_ns(clock_linux());
        for (count = 0; count < WINDOW && group_member_next(member, &item) == ERR_NONE; count++)
            numbers[count] = item.seq;
        give += seconds_since(start_ns);
        if (count > 0 && is_shuffled)
            shuffle(numbers, count);
        start_ns = clock_now_ns(clock_linux());
        for (uint64_t i = 0; i < count; i++) {
            struct group_select select = {.from = numbers[i], .to = numbers[i]};
            check(group_member_done(member, &select, 0) == 1);
        }
        turn(&bench);
        settle += seconds_since(start_ns);
    }
    printf("%-36s %6.2f million records/s\n", "given, a window at once", (double)total / give / 1e6);
    printf("%-36s %6.2f million/s\n", is_shuffled ? "done one by one, shuffled" : "done one by one, in order",
           (double)total / settle / 1e6);
    group_leave(member);
    end(&bench);
    free(numbers);
}

static void run_members(unsigned count)
{
    struct bench bench;
    struct group_member *members[GROUPS];
    uint64_t taken = 0;
    begin(&bench);
    for (unsigned i = 0; i < count; i++)
        members[i] = join(&bench, "g");
    int64_t start_ns = clock_now_ns(clock_linux());
    for (uint64_t offset = 0; taken < RECORDS; offset += TURN) {
        for (unsigned i = 0; i < count; i++)
            taken += take(members[i], UINT64_MAX, offset);
        turn(&bench);
    }
    printf("%u members of one group %12s %6.2f million records/s\n", count, "",
           (double)taken / seconds_since(start_ns) / 1e6);
    for (unsigned i = 0; i < count; i++)
        group_leave(members[i]);
    end(&bench);
}

int main(void)
{
    double one = run_groups(1);
    double ten = run_groups(GROUPS);
    printf("%-36s %6.2f\n", "ten groups / one group", ten / one);
    run_singles(false);
    run_singles(true);
    run_members(4);
    return 0;
}
