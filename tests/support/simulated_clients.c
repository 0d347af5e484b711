/* What happens to clients as a crowd. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/simulated_clients.h"

#include <stdio.h>

static uint64_t chance(struct simulated_clients *clients, uint64_t limit)
{
    return random_below(&clients->program->simulated.random, limit);
}

static void
init_producer(struct simulated_clients *clients, struct ledger *ledger, unsigned which, size_t body_max)
{
    static const size_t chunks[] = {3, 100, 64 * 1024};
    uint32_t sequence = which / SIMULATED_PRODUCERS_EACH;
    uint32_t base = which % SIMULATED_PRODUCERS_EACH;
    if (sequence == SIMULATED_DROPPING && base == 2)
        base = 1; /* two send the same, so that duplicates meet on the way */
    clients->producers[which] = (struct produce_client){
        .ledger = ledger,
        .simulated = &clients->program->simulated,
        .sequence = sequence,
        .base = (uint64_t)base * PRODUCE_CLIENT_MESSAGES,
        .is_acknowledged = which % SIMULATED_PRODUCERS_EACH != 0,
        .has_numbers = sequence != SIMULATED_NUMBERING,
        .is_dropping = sequence == SIMULATED_DROPPING,
        .has_name = chance(clients, 2) == 0,
        .body_max = body_max,
        .chunk_max = body_max / 20 + chunks[chance(clients, 3)],
    };
}

void simulated_clients_init(struct simulated_clients *clients,
                            struct simulated_program *program,
                            struct ledger *ledger,
                            size_t body_max)
{
    clients->program = program;
    for (unsigned i = 0; i < SIMULATED_PRODUCERS; i++)
        init_producer(clients, ledger, i, body_max);
    for (uint32_t i = 0; i < SIMULATED_SEQUENCES; i++) {
        struct acks_client *asker = &clients->askers[i];
        asker->ledger = ledger;
        asker->simulated = &program->simulated;
        asker->sequence = i;
    }
    for (unsigned i = 0; i < SIMULATED_TAILS; i++) {
        struct tail_client *tail = &clients->tails[i];
        tail->ledger = ledger;
        tail->simulated = &program->simulated;
        tail->door = &program->control.door;
        (void)snprintf(tail->topic, sizeof tail->topic, "topic-%u", i);
    }
}

static void connect_producer(struct simulated_program *program, struct produce_client *producer)
{
    struct simulated_worker *worker = simulated_program_any_worker(program);
    producer->simulated = worker->simulated;
    producer->door = &worker->produce[producer->sequence].door;
    produce_client_connect(producer);
}

static void connect_asker(struct simulated_program *program, struct acks_client *asker)
{
    struct simulated_worker *worker = simulated_program_any_worker(program);
    asker->simulated = worker->simulated;
    asker->door = &worker->acks[asker->sequence].questions.door;
    acks_client_connect(asker);
}

void simulated_clients_connect(struct simulated_clients *clients, unsigned which)
{
    if (which < SIMULATED_PRODUCERS && clients->producers[which].stream == NULL)
        connect_producer(clients->program, &clients->producers[which]);
    which -= SIMULATED_PRODUCERS;
    if (which < SIMULATED_SEQUENCES && clients->askers[which].stream == NULL)
        connect_asker(clients->program, &clients->askers[which]);
    which -= SIMULATED_SEQUENCES;
    if (which < SIMULATED_TAILS && clients->tails[which].stream == NULL)
        tail_client_connect(&clients->tails[which]);
}

void simulated_clients_send(struct simulated_clients *clients)
{
    struct produce_client *producer = &clients->producers[chance(clients, SIMULATED_PRODUCERS)];
    if (producer->stream != NULL && !producer->has_ended && !producer->stream->is_closing)
        (void)produce_client_send(producer, 1 + (unsigned)chance(clients, 10), true);
    struct acks_client *asker = &clients->askers[chance(clients, SIMULATED_SEQUENCES)];
    if (asker->stream != NULL && !asker->stream->is_closing)
        acks_client_ask(asker);
}

void simulated_clients_read(struct simulated_clients *clients)
{
    for (unsigned i = 0; i < SIMULATED_PRODUCERS; i++)
        produce_client_read(&clients->producers[i]);
    for (unsigned i = 0; i < SIMULATED_SEQUENCES; i++)
        acks_client_read(&clients->askers[i]);
    for (unsigned i = 0; i < SIMULATED_TAILS; i++)
        tail_client_read(&clients->tails[i]);
}

void simulated_clients_excuse(struct simulated_clients *clients)
{
    for (unsigned i = 0; i < SIMULATED_PRODUCERS; i++)
        clients->producers[i].may_fail = true;
    for (unsigned i = 0; i < SIMULATED_SEQUENCES; i++)
        clients->askers[i].may_fail = true;
    for (unsigned i = 0; i < SIMULATED_TAILS; i++)
        clients->tails[i].may_fail = true;
}

void simulated_clients_lose_one(struct simulated_clients *clients)
{
    struct produce_client *producer = &clients->producers[chance(clients, SIMULATED_PRODUCERS)];
    bool may_end = producer->stream != NULL && !producer->has_ended && !producer->stream->is_closing;
    uint64_t kind = chance(clients, 8);
    if (kind < 2)
        tail_client_cut(&clients->tails[chance(clients, SIMULATED_TAILS)]);
    else if (kind < 4)
        acks_client_cut(&clients->askers[chance(clients, SIMULATED_SEQUENCES)]);
    else if (kind < 6 && may_end)
        produce_client_end(producer);
    else
        produce_client_cut(producer);
}

/* --- Streams of all kinds --------------------------------------------------------------------------- */

static unsigned collect(struct simulated_clients *clients,
                        struct stream_memory *streams[static SIMULATED_CLIENTS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < SIMULATED_PRODUCERS; i++)
        if (clients->producers[i].stream != NULL)
            streams[count++] = clients->producers[i].stream;
    for (unsigned i = 0; i < SIMULATED_SEQUENCES; i++)
        if (clients->askers[i].stream != NULL)
            streams[count++] = clients->askers[i].stream;
    for (unsigned i = 0; i < SIMULATED_TAILS; i++)
        if (clients->tails[i].stream != NULL)
            streams[count++] = clients->tails[i].stream;
    return count;
}

void simulated_clients_stall_one(struct simulated_clients *clients)
{
    struct stream_memory *streams[SIMULATED_CLIENTS];
    unsigned count = collect(clients, streams);
    if (count > 0)
        stream_memory_stall(streams[chance(clients, count)], chance(clients, 2) == 0);
}

void simulated_clients_wake(struct simulated_clients *clients)
{
    struct stream_memory *streams[SIMULATED_CLIENTS];
    unsigned count = collect(clients, streams);
    for (unsigned i = 0; i < count; i++)
        stream_memory_stall(streams[i], false);
}

void simulated_clients_outlive(struct simulated_clients *clients)
{
    struct stream_memory *streams[SIMULATED_CLIENTS];
    unsigned count = collect(clients, streams);
    for (unsigned i = 0; i < count; i++)
        if (chance(clients, 2) == 0)
            stream_memory_arrive(streams[i]);
    simulated_clients_read(clients);
    simulated_clients_excuse(clients);
    count = collect(clients, streams);
    for (unsigned i = 0; i < count; i++)
        stream_memory_cut(streams[i]);
}

void simulated_clients_forget(struct simulated_clients *clients)
{
    struct stream_memory *streams[SIMULATED_CLIENTS];
    unsigned count = collect(clients, streams);
    for (unsigned i = 0; i < count; i++)
        stream_memory_forget(streams[i]);
    for (unsigned i = 0; i < SIMULATED_PRODUCERS; i++)
        clients->producers[i].parsed = 0;
    for (unsigned i = 0; i < SIMULATED_SEQUENCES; i++)
        clients->askers[i].parsed = 0;
    for (unsigned i = 0; i < SIMULATED_TAILS; i++)
        clients->tails[i].parsed = 0;
    simulated_clients_read(clients);
}
