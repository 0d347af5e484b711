/* The number of each line is read, the rest is looked at once: for its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_subscriber.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/bench_lines.h"

enum { OUTPUT_SIZE_MAX = 64 * 1024 * 1024, REQUEST_SIZE = 1024 };

enum err bench_subscriber_open(struct bench_subscriber *subscriber,
                               const struct bench_subscriber_settings *settings,
                               const char *group,
                               struct why *why)
{
    char request[REQUEST_SIZE];
    int len = group == NULL
                  ? snprintf(request, sizeof request, "SUBSCRIBE %s %s\n", settings->topic, settings->from)
                  : snprintf(request, sizeof request, "SUBSCRIBE %s %s GROUP %s WINDOW %" PRIu32 "\n",
                             settings->topic, settings->from, group, settings->window);
    *subscriber = (struct bench_subscriber){.socket = {.fd = -1}, .is_member = group != NULL};
    if (len >= (int)sizeof request)
        return why_set(why, ERR_TOO_LARGE, "names are too long");
    buffer_init(&subscriber->output, OUTPUT_SIZE_MAX);
    enum err err = bench_socket_open(&subscriber->socket, settings->address, &settings->trust, why);
    if (err == ERR_NONE)
        err = bench_socket_write(&subscriber->socket, span_of(request, (size_t)len));
    if (err == ERR_NONE)
        bench_socket_unblock(&subscriber->socket);
    return err;
}

void bench_subscriber_close(struct bench_subscriber *subscriber)
{
    bench_socket_close(&subscriber->socket);
    buffer_done(&subscriber->output);
}

/* --- Saying what is done ------------------------------------------------------------------------ */

static enum err say_run(struct bench_subscriber *subscriber)
{
    if (subscriber->run_from == 0)
        return ERR_NONE;
    enum err err = buffer_printf(&subscriber->output, "DONE %" PRIu64 "-%" PRIu64 "\n", subscriber->run_from,
                                 subscriber->run_to);
    subscriber->run_from = 0;
    return err;
}

static enum err note_done(struct bench_subscriber *subscriber, uint64_t number)
{
    enum { RUN_MAX = 1000000 };
    bool goes_on = subscriber->run_from != 0 && number == subscriber->run_to + 1 &&
                   number - subscriber->run_from < RUN_MAX;
    enum err err = goes_on ? ERR_NONE : say_run(subscriber);
    if (!goes_on)
        subscriber->run_from = number;
    subscriber->run_to = number;
    return err;
}

enum err bench_subscriber_push(struct bench_subscriber *subscriber)
{
    struct buffer *output = &subscriber->output;
    enum err err = say_run(subscriber);
    while (err == ERR_NONE && subscriber->sent < output->len) {
        struct span rest = span_after(buffer_span(output), subscriber->sent);
        size_t len = 0;
        err = bench_socket_send(&subscriber->socket, rest, &len);
        subscriber->sent += len;
    }
    if (err != ERR_NONE)
        return err;
    buffer_clear(output);
    subscriber->sent = 0;
    return err;
}

void bench_subscriber_finish(struct bench_subscriber *subscriber)
{
    bench_socket_finish(&subscriber->socket);
}

/* --- Receiving ---------------------------------------------------------------------------------- */

/* Field 1, which may have come in two pieces. */
static enum err take_number(struct bench_subscriber *subscriber, struct span *bytes)
{
    if (!subscriber->is_line_begun)
        subscriber->number = 0;
    subscriber->is_line_begun = true;
    subscriber->is_number = true;
    for (; bytes->len > 0 && bytes->data[0] != '|'; *bytes = span_after(*bytes, 1)) {
        unsigned digit = (unsigned)bytes->data[0] - '0';
        if (digit > 9)
            return ERR_PROTOCOL;
        subscriber->number = subscriber->number * 10 + digit;
    }
    if (bytes->len == 0)
        return ERR_NONE;
    subscriber->is_number = false;
    return note_done(subscriber, subscriber->number);
}

static enum err take_lines(struct bench_subscriber *subscriber, struct span bytes)
{
    enum err err = ERR_NONE;
    while (err == ERR_NONE && bytes.len > 0) {
        if (!subscriber->is_line_begun || subscriber->is_number)
            err = take_number(subscriber, &bytes);
        size_t end = span_find(bytes, '\n');
        if (err != ERR_NONE || end == bytes.len)
            return err;
        subscriber->lines++;
        subscriber->is_line_begun = false;
        bytes = span_after(bytes, end + 1);
    }
    return err;
}

/* Of a plain stream only the first line is looked at: whether it is an error. */
static enum err count_lines(struct bench_subscriber *subscriber, struct span bytes)
{
    if (subscriber->lines == 0 && !subscriber->is_line_begun && bytes.data[0] == 'E')
        return ERR_PROTOCOL;
    subscriber->is_line_begun = true;
    subscriber->lines += bench_count_lines(bytes);
    return ERR_NONE;
}

enum err bench_subscriber_receive(
    struct bench_subscriber *subscriber, uint8_t *buffer, size_t size, size_t *ret_len, struct why *why)
{
    enum err err = bench_socket_read(&subscriber->socket, buffer, size, ret_len);
    if (err != ERR_NONE)
        return err;
    struct span bytes = span_of(buffer, *ret_len);
    err = subscriber->is_member ? take_lines(subscriber, bytes) : count_lines(subscriber, bytes);
    if (err == ERR_PROTOCOL)
        return why_set(why, err, "not a record with a number: %.*s", (int)span_find(bytes, '\n'),
                       (const char *)bytes.data);
    return err;
}
