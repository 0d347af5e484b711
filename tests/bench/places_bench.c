/* What a question for a number's place and its outcome costs, with ten thousand and with many records in the log. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "journal/journal.h"
#include "store/topic.h"
#include "wire/record_batch.h"

/*
 *   places_bench DIRECTORY RECORDS      an empty directory; RECORDS may be 10000000
 *
 * Records of 30 bytes with random partitions of 64 topics x 4, numbered in their order, settled in random order within windows; then
 * random numbers are asked for.
 */
enum {
    TOPICS = 64,
    PARTITIONS = 4,
    SLOTS = TOPICS * PARTITIONS,
    LINES = 16384,
    ASKED = 400000,
    WINDOW = 100000
};

struct bench {
    struct journal *journal;
    struct store *store;
    struct mailbox mailbox;
    struct random random;
    uint32_t topics[TOPICS];
    uint32_t sequence;
    uint32_t group;
    uint64_t next[SLOTS];
    bool is_done;
};

static void on_wake(void *owner)
{
    (void)owner;
}

static void on_done(struct mail *mail)
{
    check(LIST_OWNER(mail, struct store_append, mail)->ret_err == ERR_NONE);
}

static void commit(struct bench *bench, struct store_append *append)
{
    append->mail.on_delivered = on_done;
    append->reply_to = &bench->mailbox;
    check(bench->store->ops->append(bench->store, append) == ERR_NONE);
    while (mailbox_deliver(&bench->mailbox) == 0) {
        (void)journal_step(bench->journal);
        while (journal_chore_step(bench->journal))
            ;
    }
}

static void open_all(struct bench *bench, const char *directory)
{
    struct journal_settings settings;
    struct journal_seams seams = {.clock = clock_linux()};
    struct why why = {{0}};
    random_seed(&bench->random, 1);
    mailbox_init(&bench->mailbox, on_wake, NULL);
    journal_settings_default(&settings);
    check(fs_linux_new(directory, &seams.fs) == ERR_NONE);
    enum err err = journal_open(&seams, &settings, &why, &bench->journal);
    if (err != ERR_NONE)
        (void)fprintf(stderr, "%s %s\n", err_name(err), why.text);
    check(err == ERR_NONE);
    bench->store = journal_store(bench->journal);
    for (uint32_t i = 0; i < TOPICS; i++) {
        char name[32];
        struct store_topic topic;
        (void)snprintf(name, sizeof name, "topic-%u", i);
        check(bench->store->ops->topic_open(bench->store, span_from_text(name), PARTITIONS, true, &topic) ==
              ERR_NONE);
        bench->topics[i] = topic.id;
    }
    check(bench->store->ops->sequence_open(bench->store, span_from_text("default"), &bench->sequence) ==
          ERR_NONE);
    check(bench->store->outcomes->group_open(bench->store, span_from_text("group"), true, &bench->group) ==
          ERR_NONE);
}

static void append_lines(struct bench *bench, uint64_t first, uint32_t count)
{
    static uint16_t places[LINES];
    static uint16_t slots[LINES];
    static struct store_part parts[SLOTS];
    static uint8_t bytes[8 << 20];
    struct store_run run = {first, count};
    uint32_t records[SLOTS] = {0};
    uint16_t part_of[SLOTS];
    uint32_t part_count = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        slots[i] = (uint16_t)random_below(&bench->random, SLOTS);
        records[slots[i]]++;
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (records[slot] == 0)
            continue;
        struct record_batch_writer writer;
        struct record record = {.value = span_from_text("123456789012345678901234567890"),
                                .key_is_null = true};
        size_t position = at + STORE_PART_HEADROOM;
        record_batch_begin(&writer, bytes + position, 1);
        for (uint32_t k = 0; k < records[slot]; k++)
            record_batch_add(&writer, &record);
        size_t len = record_batch_finish(&writer);
        part_of[slot] = (uint16_t)part_count;
        parts[part_count++] = (struct store_part){bench->topics[slot / PARTITIONS],
                                                  slot % PARTITIONS,
                                                  (uint32_t)position,
                                                  (uint32_t)len,
                                                  records[slot],
                                                  0};
        at = (position + len + 7) / 8 * 8;
        memset(bytes + position + len, 0, at - position - len);
    }
    for (uint32_t i = 0; i < count; i++)
        places[i] = part_of[slots[i]];
    struct store_append append = {.bytes = bytes,
                                  .len = at,
                                  .parts = parts,
                                  .part_count = part_count,
                                  .sequence = bench->sequence,
                                  .runs = &run,
                                  .run_count = 1,
                                  .places = places,
                                  .place_count = part_count > 1 ? count : 0};
    commit(bench, &append);
}

/* Windows of offsets, each in random order, a thousand and some in an append. */
static void settle(struct bench *bench)
{
    static struct store_settled settled[SLOTS * 64];
    static uint32_t order[WINDOW];
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        struct store_extent extent;
        check(bench->store->ops->extent(bench->store, bench->topics[slot / PARTITIONS], slot % PARTITIONS,
                                        &extent) == ERR_NONE);
        for (uint64_t from = 0; from < extent.end; from += WINDOW) {
            uint32_t count = extent.end - from < WINDOW ? (uint32_t)(extent.end - from) : WINDOW;
            for (uint32_t i = 0; i < count; i++) {
                uint32_t other = (uint32_t)random_below(&bench->random, i + 1);
                order[i] = order[other];
                order[other] = i;
            }
            for (uint32_t i = 0; i < count;) {
                uint32_t some = 0;
                for (; some < SLOTS * 64 && i < count; some++, i++)
                    settled[some] = (struct store_settled){.group = bench->group,
                                                           .topic = bench->topics[slot / PARTITIONS],
                                                           .partition = slot % PARTITIONS,
                                                           .count = 1,
                                                           .offset = from + order[i],
                                                           .outcome = STORE_OUTCOME_DONE,
                                                           .attempts = 1,
                                                           .by = span_from_text("127.0.0.1:5555")};
                struct store_append append = {.settled = settled, .settled_count = some};
                commit(bench, &append);
            }
        }
    }
}

static void ask(struct bench *bench, uint64_t records)
{
    struct clock *clock = clock_linux();
    uint64_t found = 0;
    for (int round = 0; round < 3; round++) {
        int64_t began_ns = clock_now_ns(clock);
        for (uint32_t i = 0; i < ASKED; i++) {
            struct store_place places[4];
            uint32_t count;
            bool has_unplaced;
            uint64_t number = 1 + random_below(&bench->random, records);
            check(bench->store->outcomes->places(bench->store, (struct store_number){bench->sequence, number},
                                                 places, 4, &count, &has_unplaced) == ERR_NONE);
            check(count == 1 && !has_unplaced);
            found += bench->store->outcomes->outcome(bench->store, bench->group, places[0].position) ==
                     STORE_OUTCOME_DONE;
        }
        double ns = (double)(clock_now_ns(clock) - began_ns) / ASKED;
        printf("%10llu records: %7.0f ns for place and outcome\n", (unsigned long long)records, ns);
    }
    check(found == (uint64_t)3 * ASKED);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc != 3)
        return 2;
    uint64_t records = strtoull(argv[2], NULL, 10);
    struct clock *clock = clock_linux();
    open_all(&bench, argv[1]);
    int64_t began_ns = clock_now_ns(clock);
    for (uint64_t at = 0; at < records; at += LINES)
        append_lines(&bench, at + 1, records - at < LINES ? (uint32_t)(records - at) : LINES);
    printf("%10.0f records/s stored\n", (double)records * 1e9 / (double)(clock_now_ns(clock) - began_ns));
    began_ns = clock_now_ns(clock);
    settle(&bench);
    printf("%10.0f outcomes/s one by one, in random order\n",
           (double)records * 1e9 / (double)(clock_now_ns(clock) - began_ns));
    ask(&bench, records);
    char line[256];
    FILE *status = fopen("/proc/self/status", "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "RssAnon", 7) == 0)
            printf("%s", line);
    (void)fclose(status);
    journal_stop(bench.journal);
    bench.journal = journal_free(bench.journal);
    return 0;
}
