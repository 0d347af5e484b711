/* The life of a producer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/produce_client.h"

#include <inttypes.h>
#include <stdio.h>

#include "support/test.h"

static uint64_t chance(struct produce_client *client, uint64_t limit)
{
    return random_below(&client->simulated->random, limit);
}

static bool is_known(const struct produce_client *client, uint32_t message)
{
    if (!client->has_numbers)
        return client->is_known[message];
    return client->ledger->numbers[client->sequence][client->base + message].is_promised;
}

bool produce_client_is_done(const struct produce_client *client)
{
    for (uint32_t message = 1; message <= PRODUCE_CLIENT_MESSAGES; message++)
        if (!is_known(client, message))
            return false;
    return true;
}

void produce_client_connect(struct produce_client *client)
{
    char hello[64];
    check(client->stream == NULL);
    client->stream = stream_memory_new(client->simulated);
    client->stream->chunk_max = client->chunk_max;
    client->connection = ledger_connect(client->ledger);
    client->has_ended = false;
    client->may_fail = false;
    client->next = 1;
    client->sent = 0;
    client->settled = 0;
    client->last_number = 0;
    client->parsed = 0;
    door_take_stream(client->door, &client->stream->stream);
    if (!client->is_acknowledged)
        return;
    (void)snprintf(hello, sizeof hello, client->has_name ? "HELLO 1 producer=p%u-%" PRIu64 "\n" : "HELLO 1\n",
                   client->sequence, client->base);
    stream_memory_send_text(client->stream, hello);
}

/* --- Sending -------------------------------------------------------------------------------------- */

static void send_line(struct produce_client *client, struct ledger_line *line, uint32_t message)
{
    struct buffer text;
    buffer_init(&text, 1024 * 1024);
    line->connection = client->connection;
    line->sequence = client->sequence;
    client->lines[client->sent].id = ledger_send(client->ledger, line, &text);
    client->lines[client->sent++].message = message;
    stream_memory_send(client->stream, buffer_span(&text));
    buffer_done(&text);
}

static void send_message(struct produce_client *client, uint32_t message)
{
    struct ledger_line line = {.body_len = 12 + (size_t)chance(client, client->body_max)};
    if (client->has_numbers)
        line.number = client->base + message;
    line.may_be_dropped = client->is_dropping;
    /* The same each time: what a message is does not depend on how often it is sent. */
    (void)snprintf(line.topic, sizeof line.topic, "topic-%u", message % 3);
    (void)snprintf(line.key, sizeof line.key, message % 5 == 0 ? "" : "key-%u", message % 7);
    send_line(client, &line, message);
}

static void send_bad_line(struct produce_client *client)
{
    bool is_long = chance(client, 2) == 0;
    struct ledger_line line = {.kind = is_long ? LEDGER_TOO_LONG : LEDGER_MALFORMED, .body_len = 12};
    if (is_long)
        line.body_len = client->ledger->max_line + 1 + (size_t)chance(client, 100);
    send_line(client, &line, 0);
}

bool produce_client_send(struct produce_client *client, unsigned lines, bool has_bad_lines)
{
    while (lines > 0 && client->sent < PRODUCE_CLIENT_LINES_MAX) {
        while (client->next <= PRODUCE_CLIENT_MESSAGES && is_known(client, client->next))
            client->next++;
        if (client->next > PRODUCE_CLIENT_MESSAGES)
            return false;
        if (has_bad_lines && chance(client, 25) == 0)
            send_bad_line(client);
        else if (client->has_numbers && client->next > 1 && chance(client, 10) == 0)
            send_message(client, 1 + (uint32_t)chance(client, client->next - 1));
        else
            send_message(client, client->next++);
        lines--;
    }
    return true;
}

void produce_client_end(struct produce_client *client)
{
    client->has_ended = true;
    stream_memory_end(client->stream);
}

/* --- Answers -------------------------------------------------------------------------------------- */

static uint64_t take_number(struct span *line)
{
    uint64_t number;
    struct span word = span_take_word(line);
    if (!span_to_u64(word, &number))
        test_fail("not a number: \"%.*s\"", (int)word.len, (const char *)word.data);
    return number;
}

/* The highest number that this producer had stored: it sends in order, so all before are stored too. */
static void take_ready(struct produce_client *client, struct span line)
{
    static const char last_is[] = "last=";
    struct span word;
    while ((word = span_take_word(&line)).len > 0 && !span_starts_with(word, last_is))
        ;
    if ((word.len > 0) != client->has_name)
        test_fail("last= %s in READY", client->has_name ? "is missing" : "is unexpected");
    if (!client->has_name || !client->has_numbers)
        return;
    struct span value = span_after(word, sizeof last_is - 1);
    for (uint64_t last = take_number(&value); last > client->base; last--)
        ledger_promise_number(client->ledger, client->sequence, last);
}

static void take_ack(struct produce_client *client, struct span line)
{
    uint64_t count = take_number(&line);
    uint64_t number = take_number(&line);
    if (count <= client->settled || count > client->sent)
        test_fail("ACK %" PRIu64 " behind %" PRIu32 " of %" PRIu32 " lines", count, client->settled,
                  client->sent);
    while (client->settled < count) {
        uint32_t id = client->lines[client->settled].id;
        uint32_t message = client->lines[client->settled++].message;
        struct ledger_line *sent = &client->ledger->lines[id];
        if (sent->kind == LEDGER_TOO_LONG)
            test_fail("line %" PRIu32 " is too long, and was acknowledged", id);
        ledger_promise(client->ledger, id);
        client->is_known[message] = true;
        client->last_number = sent->number != 0 ? sent->number : client->last_number;
        if (!client->has_numbers && message != 0 && client->settled == count)
            sent->given_number = number;
    }
    if (client->has_numbers)
        expect_equal_u64(number, client->last_number);
}

static void take_error(struct produce_client *client, struct span line)
{
    uint64_t place = take_number(&line);
    struct span code = span_take_word(&line);
    if (place == 0 && client->may_fail)
        return;
    if (place != client->settled + 1 || place > client->sent || !span_equal_text(code, "TOO_LONG"))
        test_fail("ERR %" PRIu64 " %.*s behind %" PRIu32 " lines", place, (int)code.len,
                  (const char *)code.data, client->settled);
    uint32_t id = client->lines[client->settled++].id;
    expect(client->ledger->lines[id].kind == LEDGER_TOO_LONG);
    ledger_refuse(client->ledger, id);
}

static void take_answer(struct produce_client *client, struct span line)
{
    struct span word = span_take_word(&line);
    if (span_equal_text(word, "READY"))
        take_ready(client, line);
    else if (span_equal_text(word, "ACK"))
        take_ack(client, line);
    else if (span_equal_text(word, "ERR"))
        take_error(client, line);
    else
        test_fail("a strange answer: \"%.*s\"", (int)word.len, (const char *)word.data);
}

/* A plain connection that ended well has stored all its lines. */
static void take_end(struct produce_client *client)
{
    if (client->may_fail)
        return;
    if (!client->has_ended)
        test_fail("connection %" PRIu32 " was closed without a reason", client->connection);
    if (client->is_acknowledged)
        expect_equal_u64(client->settled, client->sent);
    for (; client->settled < client->sent; client->settled++) {
        ledger_promise(client->ledger, client->lines[client->settled].id);
        client->is_known[client->lines[client->settled].message] = true;
    }
}

void produce_client_read(struct produce_client *client)
{
    if (client->stream == NULL)
        return;
    struct span rest = span_after(stream_memory_received(client->stream), client->parsed);
    for (size_t end; (end = span_find(rest, '\n')) < rest.len; rest = span_after(rest, end + 1)) {
        take_answer(client, span_of(rest.data, end));
        client->parsed += end + 1;
    }
    if (!client->stream->is_closed)
        return;
    take_end(client);
    client->stream = stream_memory_free(client->stream);
}

void produce_client_cut(struct produce_client *client)
{
    if (client->stream == NULL)
        return;
    client->may_fail = true;
    stream_memory_cut(client->stream);
}
