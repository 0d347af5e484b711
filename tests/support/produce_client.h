/* A producer that sends messages until each is known to be stored, over as many connections as that takes. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_PRODUCE_CLIENT_H
#define SUPPORT_PRODUCE_CLIENT_H

#include "door/door.h"
#include "support/ledger.h"
#include "support/stream_memory.h"

enum { PRODUCE_CLIENT_MESSAGES = 40, PRODUCE_CLIENT_LINES_MAX = 1024 };

struct produce_client {
    struct ledger *ledger;
    struct loop_simulated *simulated;
    struct door *door;
    uint32_t sequence;
    uint64_t base; /* its messages have the numbers behind it */
    bool is_acknowledged;
    bool has_numbers; /* in its lines; else the store gives them */
    bool is_dropping; /* the door drops duplicates */
    bool has_name;    /* tells its producer id */
    size_t body_max;
    size_t chunk_max;
    bool is_known[PRODUCE_CLIENT_MESSAGES + 1]; /* to be stored, without a number to ask for */
    /* Of the connection: */
    struct stream_memory *stream; /* NULL: none */
    bool has_ended;
    bool may_fail; /* the program has a reason to close it */
    uint32_t next; /* message */
    uint32_t connection;
    uint32_t sent;
    uint32_t settled;
    uint64_t last_number; /* of the settled lines */
    size_t parsed;        /* of what arrived */
    struct {
        uint32_t id;
        uint32_t message; /* 0: not one of the messages */
    } lines[PRODUCE_CLIENT_LINES_MAX];
};

/* The fields above the connection's are filled in. */
void produce_client_connect(struct produce_client *client);
/* Some lines, mostly the next ones, sometimes an earlier one again, or a bad one. False: nothing is left to send. */
bool produce_client_send(struct produce_client *client, unsigned lines, bool has_bad_lines);
/* Half-closes; the connection ends when all is stored. */
void produce_client_end(struct produce_client *client);
void produce_client_cut(struct produce_client *client);
/* Reads the answers that arrived, and notices the end of the connection. */
void produce_client_read(struct produce_client *client);
/* All its messages are known to be stored. */
bool produce_client_is_done(const struct produce_client *client);

#endif
