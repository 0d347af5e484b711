/* One subscriber of the load generator: a plain stream, or a member of a group that is done with what it gets at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_SUBSCRIBER_H
#define CLI_BENCH_SUBSCRIBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/bench_socket.h"

struct bench_subscriber_settings {
    const char *address;
    struct bench_trust trust;
    const char *topic;
    const char *from; /* FROM_START or FROM_END */
    uint32_t window;  /* of a member */
};

struct bench_subscriber {
    struct bench_socket socket;
    bool is_member;
    uint64_t lines;
    bool is_line_begun;
    bool is_number;    /* in field 1 of the line that has begun */
    uint64_t number;   /* of it */
    uint64_t run_from; /* numbers that are done and not said; 0: none */
    uint64_t run_to;
    struct buffer output;
    size_t sent;
};

/* Connects, subscribes, and then never blocks. `group` NULL: a plain stream. */
enum err bench_subscriber_open(struct bench_subscriber *subscriber,
                               const struct bench_subscriber_settings *settings,
                               const char *group,
                               struct why *why) MUST_CHECK;
void bench_subscriber_close(struct bench_subscriber *subscriber);

/* Takes what has come into a buffer of the caller's; its length. AGAIN, CLOSED; PROTOCOL: an ERR, or a record without a number. */
enum err bench_subscriber_receive(struct bench_subscriber *subscriber,
                                  uint8_t *buffer,
                                  size_t size,
                                  size_t *ret_len,
                                  struct why *why) MUST_CHECK;
/* Says DONE of what was received, as ranges. AGAIN: the rest waits until the socket takes more. */
enum err bench_subscriber_push(struct bench_subscriber *subscriber) MUST_CHECK;
/* Nothing more will be said: the door ends the connection when all outcomes are synced. */
void bench_subscriber_finish(struct bench_subscriber *subscriber);

#endif
