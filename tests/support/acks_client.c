/* Questions by chance, answers held against the ledger. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/acks_client.h"

#include <inttypes.h>
#include <stdio.h>

#include "support/test.h"

void acks_client_connect(struct acks_client *client)
{
    check(client->stream == NULL);
    client->stream = stream_memory_new(client->simulated);
    client->may_fail = false;
    client->parsed = 0;
    client->count = 0;
    door_take_stream(client->door, &client->stream->stream);
}

void acks_client_cut(struct acks_client *client)
{
    if (client->stream == NULL)
        return;
    client->may_fail = true;
    stream_memory_cut(client->stream);
}

/* --- Asking --------------------------------------------------------------------------------------- */

static void send_question(struct acks_client *client, const struct acks_question *question)
{
    char text[64] = "GET_ACK\n";
    if (question->from != 0 && question->from == question->to)
        (void)snprintf(text, sizeof text, "GET_ACK %" PRIu64 "\n", question->from);
    else if (question->from != 0)
        (void)snprintf(text, sizeof text, "GET_ACK %" PRIu64 "-%" PRIu64 "\n", question->from, question->to);
    stream_memory_send_text(client->stream, text);
}

void acks_client_ask(struct acks_client *client)
{
    struct random *random = &client->simulated->random;
    if (client->count == ACKS_CLIENT_QUESTIONS_MAX)
        return;
    uint32_t place = (client->first + client->count++) % ACKS_CLIENT_QUESTIONS_MAX;
    struct acks_question *question = &client->questions[place];
    uint64_t kind = random_below(random, 4);
    question->from = kind == 0 ? 0 : 1 + random_below(random, LEDGER_NUMBERS_MAX / 16);
    question->to = question->from + (kind == 1 ? 1 + random_below(random, 100) : 0);
    question->highest = client->ledger->highest_promised[client->sequence];
    for (uint32_t number = 0; number < LEDGER_NUMBERS_MAX; number++)
        question->was_promised[number] = client->ledger->numbers[client->sequence][number].is_promised;
    send_question(client, question);
}

/* --- Answers -------------------------------------------------------------------------------------- */

static void take_stored(struct acks_client *client, uint64_t from, uint64_t to)
{
    for (uint64_t number = from; number <= to; number++)
        ledger_promise_number(client->ledger, client->sequence, number);
}

static void take_missing(const struct acks_question *question, uint64_t from, uint64_t to)
{
    for (uint64_t number = from; number <= to; number++)
        if (question->was_promised[number])
            test_fail("number %" PRIu64 " was promised, and is said to be missing", number);
}

static struct span take_until(struct span *rest, uint8_t end)
{
    struct span part = span_of(rest->data, span_find(*rest, end));
    *rest = span_after(*rest, part.len < rest->len ? part.len + 1 : part.len);
    return part;
}

/* a-b,c,...: what lies between is stored. */
static void take_gaps(struct acks_client *client, const struct acks_question *question, struct span list)
{
    uint64_t next = question->from;
    while (list.len > 0) {
        uint64_t from;
        uint64_t to;
        struct span gap = take_until(&list, ',');
        expect(span_to_u64(take_until(&gap, '-'), &from));
        to = from;
        expect(gap.len == 0 || span_to_u64(gap, &to));
        expect(from >= next && to >= from && to <= question->to);
        take_stored(client, next, from - 1);
        take_missing(question, from, to);
        next = to + 1;
    }
    take_stored(client, next, question->to);
}

static void take_highest(struct acks_client *client, const struct acks_question *question, struct span text)
{
    uint64_t number;
    expect(span_to_u64(text, &number));
    if (number < question->highest)
        test_fail("the highest number is %" PRIu64 ", and %" PRIu64 " was promised", number,
                  question->highest);
    if (number != 0)
        ledger_promise_number(client->ledger, client->sequence, number);
}

static void take_answer(struct acks_client *client, struct span line)
{
    expect(client->count > 0);
    const struct acks_question *question = &client->questions[client->first];
    struct span word = span_take_word(&line);
    struct span rest = span_take_word(&line);
    client->first = (client->first + 1) % ACKS_CLIENT_QUESTIONS_MAX;
    client->count--;
    if (span_equal_text(word, "ERR") && client->may_fail)
        return;
    if (span_equal_text(word, "MISSING"))
        take_gaps(client, question, rest);
    else if (span_equal_text(word, "PENDING"))
        take_missing(question, question->from, question->to);
    else if (!span_equal_text(word, "ACK"))
        test_fail("a strange answer: \"%.*s\"", (int)word.len, (const char *)word.data);
    else if (question->from == 0)
        take_highest(client, question, rest);
    else
        take_stored(client, question->from, question->to);
}

void acks_client_read(struct acks_client *client)
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
    expect(client->may_fail);
    client->stream = stream_memory_free(client->stream);
}
