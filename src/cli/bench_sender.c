/* Speaks the acknowledged mode of docs/protocols/line.md, and reads no more of an answer than its number. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_sender.h"

#include <inttypes.h>

enum { BLOCK_LINES_MIN = 256, BLOCK_LINES_MAX = 16 * 1024 };

/* "READY window=10000 ..." */
static enum err examine_greeting(struct span line, uint32_t window, struct why *why)
{
    uint64_t given = 0;
    struct span whole = line;
    struct span word = span_take_word(&line);
    if (!span_equal_text(word, "READY"))
        return why_set(why, ERR_PROTOCOL, "the door does not take messages: %.*s", (int)whole.len,
                       (const char *)whole.data);
    for (word = span_take_word(&line); word.len > 0; word = span_take_word(&line))
        if (span_starts_with(word, "window=") && span_to_u64(span_after(word, 7), &given) && given >= window)
            return ERR_NONE;
    return why_set(why, ERR_BAD_INPUT, "the door has a window of %" PRIu64 " lines only", given);
}

static enum err greet(struct bench_sender *sender, struct why *why)
{
    enum err err = bench_socket_write(&sender->socket, span_from_text("HELLO 1\n"));
    while (err == ERR_NONE) {
        size_t len = 0;
        struct span input = span_of(sender->input, sender->input_len);
        size_t end = span_find(input, '\n');
        if (end < input.len) {
            sender->input_len = 0;
            return examine_greeting(span_of(input.data, end), sender->window, why);
        }
        err = bench_socket_read(&sender->socket, sender->input + sender->input_len,
                                sizeof sender->input - sender->input_len, &len);
        sender->input_len += len;
    }
    return why_set(why, err, "the door did not answer the greeting: %s", err_text(err));
}

enum err bench_sender_open(struct bench_sender *sender,
                           const struct bench_sender_settings *settings,
                           struct random *random,
                           struct why *why)
{
    uint32_t block = settings->window;
    if (block < BLOCK_LINES_MIN)
        block = BLOCK_LINES_MIN;
    if (block > BLOCK_LINES_MAX || settings->window == 0)
        block = BLOCK_LINES_MAX;
    *sender = (struct bench_sender){.socket = {.fd = -1}, .window = settings->window};
    enum err err = bench_lines_init(&sender->lines, &settings->shape, block, random, why);
    if (err == ERR_NONE)
        err = bench_socket_open(&sender->socket, settings->address, &settings->trust, why);
    if (err == ERR_NONE && sender->window > 0)
        err = greet(sender, why);
    if (err == ERR_NONE)
        bench_socket_unblock(&sender->socket);
    else
        bench_sender_close(sender);
    return err;
}

void bench_sender_close(struct bench_sender *sender)
{
    bench_lines_done(&sender->lines);
    bench_socket_close(&sender->socket);
}

uint32_t bench_sender_room(const struct bench_sender *sender)
{
    if (sender->unsent.len > 0)
        return 0;
    uint32_t block = sender->lines.count - sender->next_line;
    if (sender->window == 0)
        return block;
    uint64_t window = sender->window - (sender->sent - sender->settled);
    return window < block ? (uint32_t)window : block;
}

void bench_sender_add(struct bench_sender *sender, uint32_t count, uint64_t seq, int64_t now_ns)
{
    check(count > 0 && count <= bench_sender_room(sender));
    sender->unsent = bench_lines_number(&sender->lines, sender->next_line, count, seq);
    sender->next_line = (sender->next_line + count) % sender->lines.count;
    sender->sent += count;
    if (sender->window > 0)
        bench_marks_add(&sender->marks, sender->sent, now_ns);
}

enum err bench_sender_push(struct bench_sender *sender)
{
    enum err err;
    do {
        size_t len = 0;
        err = bench_socket_send(&sender->socket, sender->unsent, &len);
        sender->unsent = span_after(sender->unsent, len);
    } while (err == ERR_NONE && sender->unsent.len > 0);
    return err;
}

void bench_sender_finish(struct bench_sender *sender)
{
    bench_socket_finish(&sender->socket);
}

/* "ACK count seq" or "ERR line code class text"; line 0 speaks of the connection. */
static enum err take_answer(struct bench_sender *sender, struct span line, struct why *why)
{
    struct span rest = line;
    uint64_t number = 0;
    struct span word = span_take_word(&rest);
    bool is_refusal = span_equal_text(word, "ERR");
    if ((is_refusal || span_equal_text(word, "ACK")) && span_to_u64(span_take_word(&rest), &number) &&
        number > sender->settled && number <= sender->sent) {
        sender->settled = number;
        sender->refused += is_refusal;
        return ERR_NONE;
    }
    if (span_equal_text(word, "WINDOW") || (number > 0 && number == sender->settled))
        return ERR_NONE;
    return why_set(why, ERR_PROTOCOL, "the door said: %.*s", (int)line.len, (const char *)line.data);
}

static enum err take_answers(struct bench_sender *sender, struct why *why)
{
    struct span input = span_of(sender->input, sender->input_len);
    enum err err = ERR_NONE;
    while (err == ERR_NONE) {
        size_t end = span_find(input, '\n');
        if (end == input.len)
            break;
        err = take_answer(sender, span_of(input.data, end), why);
        input = span_after(input, end + 1);
    }
    memmove(sender->input, input.data, input.len);
    sender->input_len = input.len;
    return err;
}

enum err
bench_sender_receive(struct bench_sender *sender, int64_t now_ns, struct histogram *latency, struct why *why)
{
    size_t room = sizeof sender->input - sender->input_len;
    size_t len = 0;
    if (room == 0)
        return why_set(why, ERR_PROTOCOL, "the door sends an endless line");
    enum err err = bench_socket_read(&sender->socket, sender->input + sender->input_len, room, &len);
    if (err != ERR_NONE)
        return err;
    sender->input_len += len;
    err = take_answers(sender, why);
    bench_marks_settle(&sender->marks, sender->settled, now_ns, latency);
    return err == ERR_NONE && len < room ? ERR_AGAIN : err;
}
