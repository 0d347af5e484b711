/* Prints how many lines a second one core turns into appends: parse and encode, without sockets and disk. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "door/line_batcher.h"
#include "io/loop.h"
#include "store/store_memory.h"
#include "wire/line_cut.h"

enum { LINE_SIZE = 100, KEYS = 37, TOPICS = 64, PARTITIONS = 4, SECONDS = 2 };

struct workload {
    const char *name;
    struct produce_settings settings;
    uint8_t *bytes;
    size_t len;
};

static struct line_append *take_all(struct line_batcher *batcher, struct span bytes)
{
    struct line_cut line;
    enum line_error error;
    for (; line_cut_first(bytes, 1 << 20, &line); bytes = span_after(bytes, line.len))
        check(line_batcher_add(batcher, line.line, LINE_ERROR_NONE, &error) == LINE_TAKEN);
    struct line_append *append;
    check(line_batcher_finish(batcher, 1, &append) == ERR_NONE);
    return append;
}

static double lines_per_second(const struct workload *workload)
{
    struct clock *clock = clock_linux();
    struct store *store = store_memory_new(clock);
    struct line_batcher batcher;
    struct store_topic topic;
    uint64_t lines = 0;
    for (unsigned i = 0; i < TOPICS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "topic-%u", i);
        check(store->ops->topic_open(store, span_from_text(name), PARTITIONS, true, &topic) == ERR_NONE);
    }
    check(line_batcher_init(&batcher, &workload->settings, store, NULL) == ERR_NONE);
    int64_t start_ns = clock_now_ns(clock);
    int64_t ns;
    while ((ns = clock_now_ns(clock) - start_ns) < SECONDS * CLOCK_NS_PER_S) {
        struct line_append *append = take_all(&batcher, span_of(workload->bytes, workload->len));
        lines += append->lines;
        line_append_free(append);
    }
    line_batcher_done(&batcher);
    store_memory_free(store);
    return (double)lines * 1e9 / (double)ns;
}

/* One read's worth of lines of LINE_SIZE bytes; `first` is what stands before the timestamp. */
static void fill(struct workload *workload, bool many_topics)
{
    struct random random;
    uint64_t seq = 1000000;
    random_seed(&random, 1);
    while (workload->len + LINE_SIZE <= LOOP_READ_SIZE) {
        char line[LINE_SIZE + 1];
        int len = many_topics ? snprintf(line, sizeof line, "topic-%u|key-%08x|1795334400123|%llu|",
                                         (unsigned)random_below(&random, TOPICS),
                                         (unsigned)random_u64(&random), (unsigned long long)seq++)
                              : snprintf(line, sizeof line, "key-%u|1795334400123|%llu|",
                                         (unsigned)random_below(&random, KEYS), (unsigned long long)seq++);
        memset(line + len, 'x', LINE_SIZE - (size_t)len);
        line[LINE_SIZE - 1] = '\n';
        memcpy(workload->bytes + workload->len, line, LINE_SIZE);
        workload->len += LINE_SIZE;
    }
}

static double run(const char *name, struct produce_settings settings, bool many_topics)
{
    struct workload workload = {.name = name, .settings = settings, .bytes = malloc(LOOP_READ_SIZE)};
    check(workload.bytes != NULL);
    fill(&workload, many_topics);
    double rate = lines_per_second(&workload);
    printf("%-32s %6.2f million lines/s\n", name, rate / 1e6);
    free(workload.bytes);
    return rate;
}

int main(void)
{
    struct produce_settings one = PRODUCE_SETTINGS_DEFAULT;
    struct produce_settings many = PRODUCE_SETTINGS_DEFAULT;
    struct produce_settings assigned = PRODUCE_SETTINGS_DEFAULT;
    one.topic = span_from_text("topic-0");
    many.fields = span_from_text("topic|key|timestamp|seq|body");
    many.topic = span_from_text("{topic}");
    assigned.fields = span_from_text("key|timestamp|body");
    assigned.topic = span_from_text("topic-0");
    double base = run("one topic", one, false);
    double spread = run("64 topics x 4 partitions", many, true);
    (void)run("numbers assigned", assigned, false);
    printf("%-32s %6.2f\n", "64 x 4 / one topic", spread / base);
    return 0;
}
