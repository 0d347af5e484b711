/* The journal with its threads on real files: producers, readers and retention at once, then a restart. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/metric.h"
#include "journal/journal.h"
#include "support/test.h"
#include "support/test_append.h"

/* Meant for ThreadSanitizer as much as for its own expectations. */
enum { PRODUCERS = 3, READERS = 2, APPENDS = 5000, WINDOW = 16, SEGMENT = 128 * 1024, READ_SIZE = 64 * 1024 };

struct stage {
    struct fs *fs;
    struct journal *journal;
    struct store *store;
    struct store_topic topic; /* one partition for each producer */
    _Atomic uint64_t acknowledged[PRODUCERS];
    _Atomic bool is_over;
};

struct actor {
    pthread_t thread;
    struct stage *stage;
    uint32_t number;
    uint64_t seen;
};

static void on_event(void *owner, enum journal_event event, const char *fields)
{
    (void)owner;
    if (event == JOURNAL_EVENT_DAMAGE || event == JOURNAL_EVENT_BROKEN)
        (void)fprintf(stderr, "%s\n", fields);
}

static struct journal_settings stage_settings(void)
{
    struct journal_settings settings;
    journal_settings_default(&settings);
    settings.segment_size = SEGMENT;
    settings.append_size_max = SEGMENT / 4;
    settings.record_size_max = SEGMENT / 8;
    settings.size_max = 8 * SEGMENT;
    return settings;
}

static void open_journal(struct stage *stage)
{
    struct journal_settings settings = stage_settings();
    struct why why = {{0}};
    struct journal_seams seams = {.fs = stage->fs, .clock = clock_linux(), .on_event = on_event};
    expect_fine(journal_open(&seams, &settings, &why, &stage->journal));
    stage->store = journal_store(stage->journal);
    expect_fine(
        stage->store->ops->topic_open(stage->store, span_from_text("t"), PRODUCERS, true, &stage->topic));
}

/* --- The actors ----------------------------------------------------------------------------------- */

static void stay_asleep(void *owner)
{
    (void)owner;
}

static void nap(void)
{
    const struct timespec briefly = {.tv_nsec = 200000};
    (void)nanosleep(&briefly, NULL);
}

static bool
submit(struct actor *actor, struct mailbox *mailbox, uint64_t number, struct test_append **ret_append)
{
    struct stage *stage = actor->stage;
    struct test_append *append = test_append_new(mailbox);
    test_append_add(append, &stage->topic, actor->number,
                    (struct test_records){.key = "k",
                                          .value = "a value of some length, to fill segments",
                                          .seq = 1 + number * PRODUCERS * 4 + actor->number * 4,
                                          .count = 3});
    append->append.alone = number % 2 == 0;
    append->append.held = number % 3 == 0;
    enum err err = stage->store->ops->append(stage->store, &append->append);
    if (append->append.held)
        stage->store->ops->release(stage->store, number % 6 == 0);
    if (err == ERR_NONE) {
        *ret_append = append;
        return true;
    }
    if (err != ERR_BUSY && err != ERR_FULL)
        abort();
    append = test_append_free(append);
    return false;
}

static void *produce(void *argument)
{
    struct actor *actor = argument;
    struct test_append *window[WINDOW] = {0};
    struct mailbox mailbox;
    uint64_t number = 0;
    uint64_t done = 0;
    mailbox_init(&mailbox, stay_asleep, NULL);
    while (done < APPENDS) {
        bool is_free = number < APPENDS && window[number % WINDOW] == NULL;
        if (is_free && submit(actor, &mailbox, number, &window[number % WINDOW]))
            number++;
        else if (mailbox_deliver(&mailbox) == 0)
            nap();
        while (done < number && window[done % WINDOW]->is_done) {
            check(window[done % WINDOW]->append.ret_err == ERR_NONE);
            window[done % WINDOW] = test_append_free(window[done % WINDOW]);
            done++;
            atomic_fetch_add(&actor->stage->acknowledged[actor->number], 3);
        }
    }
    mailbox_done(&mailbox);
    return NULL;
}

/* Follows one partition; what was acknowledged before a read must be there for it. */
static void *consume(void *argument)
{
    struct actor *actor = argument;
    struct stage *stage = actor->stage;
    struct store_read read = {.partition = actor->number, .buffer = malloc(READ_SIZE), .size = READ_SIZE};
    check(read.buffer != NULL);
    read.topic = stage->topic.id;
    bool was_over = false;
    for (;;) {
        uint64_t acknowledged = atomic_load(&stage->acknowledged[actor->number]);
        enum err err = stage->store->ops->read(stage->store, &read);
        if (err == ERR_EXPIRED) {
            struct store_extent extent;
            check(stage->store->ops->extent(stage->store, read.topic, read.partition, &extent) == ERR_NONE);
            read.offset = extent.start;
            continue;
        }
        check(err == ERR_NONE);
        bool is_at_end = read.ret_next_offset == read.offset;
        check(!is_at_end || read.offset >= acknowledged);
        bool has = true;
        if (acknowledged > 0)
            check(stage->store->ops->sequence_has(stage->store, 0, 1 + actor->number * 4, &has) == ERR_NONE &&
                  has);
        read.offset = read.ret_next_offset;
        if (is_at_end && was_over)
            break;
        was_over = is_at_end && atomic_load(&stage->is_over);
        if (is_at_end)
            nap();
    }
    actor->seen = read.offset;
    free(read.buffer);
    return NULL;
}

/* The next offsets without an outcome; how many. */
static uint32_t settle_some(struct actor *actor, struct mailbox *mailbox, uint32_t group)
{
    enum { AT_ONCE = 40 };
    struct stage *stage = actor->stage;
    const struct outcomes_ops *ops = stage->store->outcomes;
    struct store_position position = {stage->topic.id, actor->number, 0};
    struct store_extent extent;
    uint64_t from;
    uint64_t to;
    check(ops->unsettled(stage->store, group, position, &from, &to) == ERR_NONE);
    check(stage->store->ops->extent(stage->store, position.topic, position.partition, &extent) == ERR_NONE);
    to = to < extent.end ? to : extent.end;
    if (from >= to)
        return 0;
    struct store_settled settled = {.group = group,
                                    .topic = position.topic,
                                    .partition = position.partition,
                                    .offset = from,
                                    .count = to - from < AT_ONCE ? (uint32_t)(to - from) : AT_ONCE,
                                    .outcome = from % 3 == 0 ? STORE_OUTCOME_SKIPPED : STORE_OUTCOME_DONE,
                                    .by = span_from_text("settler")};
    struct test_append *append = test_append_new(mailbox);
    append->append.settled = &settled;
    append->append.settled_count = 1;
    append->append.urgent = true;
    check(stage->store->ops->append(stage->store, &append->append) == ERR_NONE);
    while (mailbox_deliver(mailbox) == 0)
        nap();
    check(append->append.ret_err == ERR_NONE);
    append = test_append_free(append);
    position.offset = from;
    check(ops->outcome(stage->store, group, position) != STORE_OUTCOME_OPEN);
    return settled.count;
}

/* A number that was acknowledged has its place, whether the record is gone by now or not. */
static void ask_for_place(struct stage *stage, uint32_t producer, uint64_t number)
{
    struct store_place place;
    uint32_t count;
    bool has_unplaced;
    check(stage->store->outcomes->places(stage->store,
                                         (struct store_number){0, 1 + number * PRODUCERS * 4 + producer * 4},
                                         &place, 1, &count, &has_unplaced) == ERR_NONE);
    check(count == 1 && !has_unplaced && place.position.partition == producer);
    check(place.position.offset % 3 == 0); /* small appends overtake others */
}

/* Completes one partition behind its producer, until that has ended and nothing is left. */
static void *complete(void *argument)
{
    struct actor *actor = argument;
    struct stage *stage = actor->stage;
    struct mailbox mailbox;
    uint32_t group;
    mailbox_init(&mailbox, stay_asleep, NULL);
    check(stage->store->outcomes->group_open(stage->store, span_from_text("group"), true, &group) ==
          ERR_NONE);
    for (bool was_over = false;;) {
        uint64_t acknowledged = atomic_load(&stage->acknowledged[actor->number]) / 3;
        if (acknowledged > 0)
            ask_for_place(stage, actor->number, actor->seen * 7 % acknowledged);
        uint32_t settled = settle_some(actor, &mailbox, group);
        actor->seen += settled;
        if (settled == 0 && was_over)
            break;
        was_over = settled == 0 && atomic_load(&stage->is_over);
        if (settled == 0)
            nap();
    }
    mailbox_done(&mailbox);
    return NULL;
}

/* Gives the journal other settings again and again, and takes away those of before. */
static void *reload(void *argument)
{
    struct stage *stage = ((struct actor *)argument)->stage;
    struct journal_topic_settings *before = NULL;
    for (uint64_t i = 0; !atomic_load(&stage->is_over); i++) {
        struct journal_settings settings = stage_settings();
        struct journal_topic_settings *topics = calloc(1, sizeof *topics);
        check(topics != NULL);
        *topics = (struct journal_topic_settings){"t", PRODUCERS, JOURNAL_BLOCK, (int64_t)i, i % 2, false};
        settings.topics = topics;
        settings.topic_count = 1;
        settings.size_max = (8 + i % 3) * SEGMENT;
        settings.scrub_rate = SEGMENT * (1 + i % 5);
        journal_reload(stage->journal, &settings);
        free(before);
        before = topics;
        nap();
    }
    struct journal_settings settings = stage_settings();
    journal_reload(stage->journal, &settings);
    free(before);
    return NULL;
}

static void start(struct actor *actors, uint32_t count, struct stage *stage, void *(*run)(void *argument))
{
    for (uint32_t i = 0; i < count; i++) {
        actors[i] = (struct actor){.stage = stage, .number = i};
        expect(pthread_create(&actors[i].thread, NULL, run, &actors[i]) == 0);
    }
}

static void join(const struct actor *actors, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        expect(pthread_join(actors[i].thread, NULL) == 0);
}

/* --- The directory ---------------------------------------------------------------------------------- */

static void remove_name(void *owner, const char *name)
{
    struct fs *fs = owner;
    expect_fine(fs->ops->unlink(fs, name));
}

static void begin(struct stage *stage, char *directory)
{
    expect_not_null(mkdtemp(directory));
    expect_fine(fs_linux_new(directory, &stage->fs));
    open_journal(stage);
}

static void end(struct stage *stage, const char *directory)
{
    journal_stop(stage->journal);
    stage->journal = journal_free(stage->journal);
    expect_fine(stage->fs->ops->list(stage->fs, remove_name, stage->fs));
    stage->fs = fs_linux_free(stage->fs);
    expect(rmdir(directory) == 0);
}

TEST(producers_readers_and_retention_share_the_journal_and_a_restart_finds_all)
{
    char directory[] = "/tmp/waybill-threads-XXXXXX";
    struct stage stage = {0};
    struct actor producers[PRODUCERS];
    struct actor readers[READERS];
    struct actor settlers[PRODUCERS];
    struct actor reloader;
    begin(&stage, directory);
    uint32_t sequence;
    expect_fine(stage.store->ops->sequence_open(stage.store, span_from_text("default"), &sequence));
    expect_fine(journal_start(stage.journal));
    start(readers, READERS, &stage, consume);
    start(producers, PRODUCERS, &stage, produce);
    start(settlers, PRODUCERS, &stage, complete);
    start(&reloader, 1, &stage, reload);
    join(producers, PRODUCERS);
    atomic_store(&stage.is_over, true);
    join(&reloader, 1);
    join(readers, READERS);
    join(settlers, PRODUCERS);
    for (uint32_t i = 0; i < READERS; i++)
        expect_equal_u64(readers[i].seen, APPENDS * 3);
    journal_stop(stage.journal);
    stage.journal = journal_free(stage.journal);
    open_journal(&stage);
    expect_equal_u64(journal_recovery(stage.journal)->damaged_ranges, 0);
    expect_equal_u64(journal_recovery(stage.journal)->torn_bytes, 0);
    for (uint32_t i = 0; i < PRODUCERS; i++) {
        struct store_extent extent;
        expect_fine(stage.store->ops->extent(stage.store, stage.topic.id, i, &extent));
        expect_equal_u64(extent.end, APPENDS * 3);
    }
    end(&stage, directory);
}

static void wait_until_done(struct mailbox *mailbox, const struct test_append *append)
{
    while (!append->is_done)
        if (mailbox_deliver(mailbox) == 0)
            nap();
}

TEST(small_appends_of_one_turn_share_a_sync)
{
    enum { TURNS = 50, SENDERS = 4 };
    char directory[] = "/tmp/waybill-threads-XXXXXX";
    struct stage stage = {0};
    struct mailbox mailbox;
    mailbox_init(&mailbox, stay_asleep, NULL);
    begin(&stage, directory);
    expect_fine(journal_start(stage.journal));
    int64_t commits = metric_get(METRIC_COMMITS);
    for (int turn = 0; turn < TURNS; turn++) {
        struct test_append *appends[SENDERS];
        for (uint32_t i = 0; i < SENDERS; i++) {
            appends[i] = test_append_new(&mailbox);
            test_append_add(appends[i], &stage.topic, i % PRODUCERS,
                            (struct test_records){.key = "k", .value = "small", .count = 1});
            appends[i]->append.held = true;
            appends[i]->append.alone = true;
            expect_fine(stage.store->ops->append(stage.store, &appends[i]->append));
            nap(); /* time enough for a writer that was woken */
        }
        stage.store->ops->release(stage.store, false);
        for (uint32_t i = 0; i < SENDERS; i++) {
            wait_until_done(&mailbox, appends[i]);
            appends[i] = test_append_free(appends[i]);
        }
    }
    commits = metric_get(METRIC_COMMITS) - commits;
    if (commits > TURNS + TURNS / 4) /* covering groups and rolls among them */
        test_fail("%lld commits for %d turns", (long long)commits, TURNS);
    end(&stage, directory);
    mailbox_done(&mailbox);
}

TEST_MAIN(producers_readers_and_retention_share_the_journal_and_a_restart_finds_all,
          small_appends_of_one_turn_share_a_sync)
