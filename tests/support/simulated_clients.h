/* All clients of a simulated program. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_SIMULATED_CLIENTS_H
#define SUPPORT_SIMULATED_CLIENTS_H

#include "support/acks_client.h"
#include "support/produce_client.h"
#include "support/simulated_program.h"
#include "support/tail_client.h"

enum {
    SIMULATED_PRODUCERS_EACH = 3, /* of each sequence; the first is a plain one */
    SIMULATED_PRODUCERS = SIMULATED_SEQUENCES * SIMULATED_PRODUCERS_EACH,
    SIMULATED_TAILS = 3, /* one of each topic that producers use */
    SIMULATED_CLIENTS = SIMULATED_PRODUCERS + SIMULATED_SEQUENCES + SIMULATED_TAILS,
};

struct simulated_clients {
    struct simulated_program *program;
    struct produce_client producers[SIMULATED_PRODUCERS];
    struct acks_client askers[SIMULATED_SEQUENCES];
    struct tail_client tails[SIMULATED_TAILS];
};

/* Bodies of lines have up to body_max bytes. */
void simulated_clients_init(struct simulated_clients *clients,
                            struct simulated_program *program,
                            struct ledger *ledger,
                            size_t body_max);

/* Connects one of SIMULATED_CLIENTS if it is not, to one of the loops; who follows a topic, to the first. */
void simulated_clients_connect(struct simulated_clients *clients, unsigned which);
/* Some of them send, or ask. */
void simulated_clients_send(struct simulated_clients *clients);
void simulated_clients_read(struct simulated_clients *clients);
/* The program has a reason to close any connection, or to say that it cannot answer. */
void simulated_clients_excuse(struct simulated_clients *clients);
/* One half-closes or is gone. */
void simulated_clients_lose_one(struct simulated_clients *clients);
/* One stops to read its answers, or goes on. */
void simulated_clients_stall_one(struct simulated_clients *clients);
/* None stalls any more. */
void simulated_clients_wake(struct simulated_clients *clients);

/* What the program wrote may still arrive after its death, or be lost on the way; then all connections are gone. */
void simulated_clients_outlive(struct simulated_clients *clients);
/* After outlive: nothing that the dead say is heard. */
void simulated_clients_forget(struct simulated_clients *clients);

#endif
