/* Three blocking connections, used in turn. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { INPUT_SIZE = 2 * 1024 * 1024, TEXT_SIZE = 1024 };

/* A connection of which whole lines are read. */
struct link {
    struct bench_socket socket;
    size_t len;
    uint8_t input[INPUT_SIZE];
};

struct bench_loop {
    const struct bench_loop_settings *settings;
    struct bench_end end;
    struct bench_result *result;
    struct link producer;
    struct link subscriber;
    struct link status;
    struct bench_lines lines;
};

static enum err say(struct link *link, const char *text, int len)
{
    if (len < 0 || len >= TEXT_SIZE)
        return ERR_TOO_LARGE;
    return bench_socket_write(&link->socket, span_of(text, (size_t)len));
}

/* The next line, without its end; valid until drop_line. */
static enum err read_line(struct link *link, struct span *ret_line)
{
    enum err err = ERR_NONE;
    struct span input;
    while (err == ERR_NONE &&
           (input = span_of(link->input, link->len), span_find(input, '\n')) == input.len) {
        size_t len = 0;
        err = bench_socket_read(&link->socket, link->input + link->len, INPUT_SIZE - link->len, &len);
        link->len += len;
    }
    if (err == ERR_NONE)
        *ret_line = span_of(link->input, span_find(span_of(link->input, link->len), '\n'));
    return err;
}

static void drop_line(struct link *link, struct span line)
{
    link->len -= line.len + 1;
    memmove(link->input, line.data + line.len + 1, link->len);
}

/* The next line begins with `text`, and is dropped. */
static enum err expect_line(struct link *link, const char *text, struct why *why)
{
    struct span line;
    enum err err = read_line(link, &line);
    if (err != ERR_NONE)
        return err;
    if (!span_starts_with(line, text))
        return why_set(why, ERR_PROTOCOL, "not %s, but: %.*s", text, (int)line.len, (const char *)line.data);
    drop_line(link, line);
    return ERR_NONE;
}

static enum err ask_until_processed(struct bench_loop *loop, uint64_t seq)
{
    char text[TEXT_SIZE];
    int len = snprintf(text, sizeof text, "GET_STATUS %" PRIu64 "\n", seq);
    for (;;) {
        struct span line;
        enum err err = say(&loop->status, text, len);
        if (err == ERR_NONE)
            err = read_line(&loop->status, &line);
        if (err != ERR_NONE)
            return err;
        bool is_processed = span_equal_text(line, "PROCESSED");
        drop_line(&loop->status, line);
        if (is_processed)
            return ERR_NONE;
    }
}

static enum err go_round(struct bench_loop *loop, uint64_t seq, struct why *why)
{
    char text[TEXT_SIZE];
    struct span line = bench_lines_number(&loop->lines, 0, 1, seq);
    enum err err = bench_socket_write(&loop->producer.socket, line);
    int len = snprintf(text, sizeof text, "%" PRIu64 "|", seq);
    check(len > 0);
    if (err == ERR_NONE)
        err = expect_line(&loop->subscriber, text, why);
    len = snprintf(text, sizeof text, "DONE %" PRIu64 "\n", seq);
    if (err == ERR_NONE)
        err = say(&loop->subscriber, text, len);
    if (err == ERR_NONE)
        err = ask_until_processed(loop, seq);
    return err == ERR_NONE ? expect_line(&loop->producer, "ACK ", why) : err;
}

static enum err open_links(struct bench_loop *loop, struct why *why)
{
    const struct bench_loop_settings *settings = loop->settings;
    char text[TEXT_SIZE];
    enum err err =
        bench_socket_open(&loop->producer.socket, settings->produce_address, &settings->trust, why);
    if (err == ERR_NONE)
        err = bench_socket_open(&loop->subscriber.socket, settings->subscribe_address, &settings->trust, why);
    if (err == ERR_NONE)
        err = bench_socket_open(&loop->status.socket, settings->status_address, &settings->trust, why);
    if (err == ERR_NONE)
        err = say(&loop->producer, "HELLO 1\n", 8);
    if (err == ERR_NONE)
        err = expect_line(&loop->producer, "READY ", why);
    if (err != ERR_NONE)
        return err;
    err = say(&loop->subscriber, "HELLO 1\n", 8);
    if (err == ERR_NONE)
        err = expect_line(&loop->subscriber, "READY", why);
    int len =
        snprintf(text, sizeof text, "SUBSCRIBE %s GROUP %s FROM_END\n", settings->topic, settings->group);
    return err == ERR_NONE ? say(&loop->subscriber, text, len) : err;
}

/* The first round is not measured: it makes topic and group. */
static enum err run(struct bench_loop *loop, struct why *why)
{
    uint64_t seq = loop->settings->first_seq;
    enum err err = go_round(loop, seq++, why);
    int64_t started_ns = clock_now_ns(clock_linux());
    for (int64_t now_ns = started_ns;
         err == ERR_NONE && !bench_end_is_reached(&loop->end, now_ns, loop->result->count);) {
        err = go_round(loop, seq++, why);
        int64_t before_ns = now_ns;
        now_ns = clock_now_ns(clock_linux());
        histogram_add(&loop->result->latency, (uint64_t)(now_ns - before_ns));
        bench_result_add(loop->result, now_ns - started_ns, 1, loop->lines.size);
    }
    return err;
}

enum err
bench_loop_run(const struct bench_loop_settings *settings, struct bench_result *result, struct why *why)
{
    struct random random;
    struct bench_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return ERR_MEMORY;
    loop->settings = settings;
    loop->end = settings->end;
    loop->result = result;
    loop->producer.socket.fd = loop->subscriber.socket.fd = loop->status.socket.fd = -1;
    random_seed(&random, settings->first_seq);
    enum err err = bench_lines_init(&loop->lines, &settings->shape, 1, &random, why);
    if (err == ERR_NONE)
        err = open_links(loop, why);
    if (err == ERR_NONE)
        err = run(loop, why);
    bench_socket_close(&loop->producer.socket);
    bench_socket_close(&loop->subscriber.socket);
    bench_socket_close(&loop->status.socket);
    bench_lines_done(&loop->lines);
    free(loop);
    return err;
}
