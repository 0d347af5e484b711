/* One producer of the load generator: a connection with its window of open lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_SENDER_H
#define CLI_BENCH_SENDER_H

#include "cli/bench_lines.h"
#include "cli/bench_marks.h"
#include "cli/bench_socket.h"

struct bench_sender_settings {
    const char *address;
    struct bench_trust trust;
    struct bench_shape shape;
    uint32_t window; /* open lines; 0: plain mode, in which nothing is answered */
};

enum { BENCH_SENDER_INPUT_SIZE = 4096 };

struct bench_sender {
    struct bench_socket socket;
    uint32_t window;
    uint64_t sent; /* lines that were given a number */
    uint64_t settled;
    uint64_t refused;
    struct bench_lines lines;
    uint32_t next_line; /* of the block */
    struct span unsent; /* of the block */
    struct bench_marks marks;
    uint8_t input[BENCH_SENDER_INPUT_SIZE];
    size_t input_len;
};

/* Connects, greets unless the mode is plain, and then never blocks. BAD_INPUT also for a window that the door does not give. */
enum err bench_sender_open(struct bench_sender *sender,
                           const struct bench_sender_settings *settings,
                           struct random *random,
                           struct why *why) MUST_CHECK;
void bench_sender_close(struct bench_sender *sender);

/* How many lines it would take now; 0 while some of the last ones are unsent. */
uint32_t bench_sender_room(const struct bench_sender *sender);
/* At most as many as there is room for; the next push sends them. */
void bench_sender_add(struct bench_sender *sender, uint32_t count, uint64_t seq, int64_t now_ns);
/* AGAIN: the rest has to wait until the socket takes more. CLOSED. */
enum err bench_sender_push(struct bench_sender *sender) MUST_CHECK;
/* Nothing more will be sent. */
void bench_sender_finish(struct bench_sender *sender);

/* Takes what has come. AGAIN: no more now; CLOSED at the end; PROTOCOL with the reason. */
enum err bench_sender_receive(struct bench_sender *sender,
                              int64_t now_ns,
                              struct histogram *latency,
                              struct why *why) MUST_CHECK;

#endif
