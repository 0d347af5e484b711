/* One connection: while the answers to one half of the depth are read, the other half is in the door. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_question.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "cli/bench_lines.h"
#include "cli/bench_marks.h"

enum { WORD_MAX = 16, REQUEST_MAX = WORD_MAX + BENCH_SEQ_DIGITS + 1, INPUT_SIZE = 64 * 1024 };

const struct bench_question_kind bench_question_acks = {"GET_ACK ", 'K'};
const struct bench_question_kind bench_question_status = {"GET_STATUS ", 'O'};

struct bench_question {
    const struct bench_question_settings *settings;
    struct bench_end end;
    struct bench_result *result;
    struct random random;
    struct bench_socket socket;
    int64_t started_ns;
    uint64_t asked;
    uint64_t answered;
    size_t line_len; /* bytes of an answer whose end has not come */
    struct bench_marks marks;
    uint8_t output[BENCH_QUESTION_DEPTH_MAX * REQUEST_MAX];
    uint8_t input[INPUT_SIZE];
};

static enum err ask(struct bench_question *asker, uint32_t count)
{
    const struct bench_question_settings *settings = asker->settings;
    struct span word = span_from_text(settings->kind->word);
    uint8_t *to = asker->output;
    check(word.len <= WORD_MAX);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t span = settings->behind_seq - settings->first_seq;
        memcpy(to, word.data, word.len);
        to += word.len;
        bench_put_seq(to, settings->first_seq + random_below(&asker->random, span));
        to += BENCH_SEQ_DIGITS;
        *to++ = '\n';
    }
    asker->asked += count;
    bench_marks_add(&asker->marks, asker->asked, clock_now_ns(clock_linux()));
    return bench_socket_write(&asker->socket, span_of(asker->output, (size_t)(to - asker->output)));
}

/* Some more bytes of an answer, perhaps all. */
static void look_at_answer(struct bench_question *asker, struct span part)
{
    enum { THIRD = 2 };
    size_t before = asker->line_len;
    if (before <= THIRD && before + part.len > THIRD)
        asker->result->refused += part.data[THIRD - before] != (uint8_t)asker->settings->kind->third;
    asker->line_len += part.len;
}

/* Counts answers by their ends, and those that do not say yes. */
static enum err read_answers(struct bench_question *asker)
{
    size_t len = 0;
    uint64_t before = asker->answered;
    enum err err = bench_socket_read(&asker->socket, asker->input, sizeof asker->input, &len);
    struct span input = span_of(asker->input, len);
    while (err == ERR_NONE && input.len > 0) {
        size_t end = span_find(input, '\n');
        look_at_answer(asker, span_of(input.data, end));
        if (end == input.len)
            break;
        asker->line_len = 0;
        asker->answered++;
        input = span_after(input, end + 1);
    }
    int64_t now_ns = clock_now_ns(clock_linux());
    bench_marks_settle(&asker->marks, asker->answered, now_ns, &asker->result->latency);
    bench_result_add(asker->result, now_ns - asker->started_ns, asker->answered - before, len);
    return err;
}

static enum err run(struct bench_question *asker)
{
    uint32_t half = asker->settings->depth > 1 ? asker->settings->depth / 2 : 1;
    uint32_t most = asker->settings->depth > 1 ? half * 2 : 1;
    bool is_ending = false;
    enum err err = ERR_NONE;
    asker->started_ns = clock_now_ns(clock_linux());
    for (;;) {
        is_ending = is_ending || bench_end_is_reached(&asker->end, clock_now_ns(clock_linux()), asker->asked);
        while (err == ERR_NONE && !is_ending && asker->asked - asker->answered + half <= most)
            err = ask(asker, half);
        if (err != ERR_NONE || asker->asked == asker->answered)
            return err;
        err = read_answers(asker);
    }
}

enum err bench_question_run(const struct bench_question_settings *settings,
                            struct bench_result *result,
                            struct why *why)
{
    check(settings->depth > 0 && settings->depth <= BENCH_QUESTION_DEPTH_MAX);
    check(settings->first_seq < settings->behind_seq && settings->behind_seq <= BENCH_SEQ_LAST + 1);
    struct bench_question *asker = calloc(1, sizeof *asker);
    if (asker == NULL)
        return ERR_MEMORY;
    asker->settings = settings;
    asker->end = settings->end;
    asker->result = result;
    random_seed(&asker->random, settings->first_seq);
    enum err err = bench_socket_open(&asker->socket, settings->address, &settings->trust, why);
    if (err == ERR_NONE) {
        int64_t cpu_ns = bench_cpu_ns();
        err = run(asker);
        result->cpu_ns = bench_cpu_ns() - cpu_ns;
        bench_socket_close(&asker->socket);
        if (err != ERR_NONE)
            err = why_set(why, err, "%s: %s", settings->address, err_text(err));
    }
    free(asker);
    return err;
}
