/* Follows a topic from its start over the control socket: what it has seen is stored for good. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TAIL_CLIENT_H
#define SUPPORT_TAIL_CLIENT_H

#include "door/door.h"
#include "support/ledger.h"
#include "support/stream_memory.h"

struct tail_client {
    struct ledger *ledger;
    struct loop_simulated *simulated;
    struct door *door;
    char topic[LEDGER_NAME_SIZE];
    struct stream_memory *stream; /* NULL: none */
    bool may_fail;
    bool is_refused; /* there is no such topic yet */
    size_t parsed;
    uint32_t records; /* of this connection */
};

void tail_client_connect(struct tail_client *client);
void tail_client_cut(struct tail_client *client);
void tail_client_read(struct tail_client *client);

#endif
