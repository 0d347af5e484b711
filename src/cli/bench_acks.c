/* One connection: while the answers to one half of the depth are read, the other half is in the door. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_acks.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "cli/bench_lines.h"
#include "cli/bench_marks.h"

static const char request[] = "GET_ACK ";

enum { NAME_LEN = sizeof request - 1, REQUEST_LEN = NAME_LEN + BENCH_SEQ_DIGITS + 1, INPUT_SIZE = 64 * 1024 };

struct bench_acks {
    const struct bench_acks_settings *settings;
    struct bench_end end;
    struct bench_result *result;
    struct random random;
    struct bench_socket socket;
    int64_t started_ns;
    uint64_t asked;
    uint64_t answered;
    bool is_line_begun; /* the input ended in the middle of an answer */
    struct bench_marks marks;
    uint8_t output[BENCH_ACKS_DEPTH_MAX * REQUEST_LEN];
    uint8_t input[INPUT_SIZE];
};

static enum err ask(struct bench_acks *acks, uint32_t count)
{
    const struct bench_acks_settings *settings = acks->settings;
    uint8_t *to = acks->output;
    for (uint32_t i = 0; i < count; i++, to += REQUEST_LEN) {
        uint64_t span = settings->behind_seq - settings->first_seq;
        memcpy(to, request, NAME_LEN);
        bench_put_seq(to + NAME_LEN, settings->first_seq + random_below(&acks->random, span));
        to[REQUEST_LEN - 1] = '\n';
    }
    acks->asked += count;
    bench_marks_add(&acks->marks, acks->asked, clock_now_ns(clock_linux()));
    return bench_socket_write(&acks->socket, span_of(acks->output, (size_t)count * REQUEST_LEN));
}

/* Counts answers by their ends, and by their first byte those that are no ACK. */
static enum err read_answers(struct bench_acks *acks)
{
    size_t len = 0;
    uint64_t before = acks->answered;
    enum err err = bench_socket_read(&acks->socket, acks->input, sizeof acks->input, &len);
    struct span input = span_of(acks->input, len);
    while (err == ERR_NONE && input.len > 0) {
        size_t end = span_find(input, '\n');
        if (!acks->is_line_begun)
            acks->result->refused += input.data[0] != 'A';
        acks->is_line_begun = end == input.len;
        if (acks->is_line_begun)
            break;
        acks->answered++;
        input = span_after(input, end + 1);
    }
    int64_t now_ns = clock_now_ns(clock_linux());
    bench_marks_settle(&acks->marks, acks->answered, now_ns, &acks->result->latency);
    bench_result_add(acks->result, now_ns - acks->started_ns, acks->answered - before, len);
    return err;
}

static enum err run(struct bench_acks *acks)
{
    uint32_t half = acks->settings->depth > 1 ? acks->settings->depth / 2 : 1;
    uint32_t most = acks->settings->depth > 1 ? half * 2 : 1;
    bool is_ending = false;
    enum err err = ERR_NONE;
    acks->started_ns = clock_now_ns(clock_linux());
    for (;;) {
        is_ending = is_ending || bench_end_is_reached(&acks->end, clock_now_ns(clock_linux()), acks->asked);
        while (err == ERR_NONE && !is_ending && acks->asked - acks->answered + half <= most)
            err = ask(acks, half);
        if (err != ERR_NONE || acks->asked == acks->answered)
            return err;
        err = read_answers(acks);
    }
}

enum err
bench_acks_run(const struct bench_acks_settings *settings, struct bench_result *result, struct why *why)
{
    check(settings->depth > 0 && settings->depth <= BENCH_ACKS_DEPTH_MAX);
    check(settings->first_seq < settings->behind_seq && settings->behind_seq <= BENCH_SEQ_LAST + 1);
    struct bench_acks *acks = calloc(1, sizeof *acks);
    if (acks == NULL)
        return ERR_MEMORY;
    acks->settings = settings;
    acks->end = settings->end;
    acks->result = result;
    random_seed(&acks->random, settings->first_seq);
    enum err err = bench_socket_open(&acks->socket, settings->address, &settings->trust, why);
    if (err == ERR_NONE) {
        int64_t cpu_ns = bench_cpu_ns();
        err = run(acks);
        result->cpu_ns = bench_cpu_ns() - cpu_ns;
        bench_socket_close(&acks->socket);
        if (err != ERR_NONE)
            err = why_set(why, err, "%s: %s", settings->address, err_text(err));
    }
    free(acks);
    return err;
}
