/* Many producers, a store with moods and peers that come and go, in a thousand random orders: nothing acknowledged is missing. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "door/produce_door.h"
#include "store/store_memory.h"
#include "support/loop_simulated.h"
#include "support/stream_memory.h"
#include "support/test.h"

enum { PRODUCERS = 6, LINES = 120, STEPS = 400 };

/* Its lines are numbered from `base` on; every seventh is bad, every eleventh too long. */
struct producer {
    struct stream_memory *stream;
    uint64_t base;
    unsigned sent;
    bool is_acknowledged;
    bool is_cut;
};

struct world {
    struct loop_simulated simulated;
    struct store *store;
    struct produce_settings settings;
    struct append_gate gate;
    struct produce_door produce;
    struct producer producers[PRODUCERS];
};

static uint64_t chance(struct world *world, uint64_t limit)
{
    return random_below(&world->simulated.random, limit);
}

static bool is_bad(unsigned line)
{
    return line % 7 == 0;
}

static bool is_long(unsigned line)
{
    return line % 11 == 0;
}

static void send_line(struct world *world, struct producer *producer)
{
    char text[256];
    unsigned line = ++producer->sent;
    int len = snprintf(text, sizeof text, "topic-%u|1|", (unsigned)chance(world, 3));
    len += is_bad(line)
               ? snprintf(text + len, sizeof text - (size_t)len, "bad")
               : snprintf(text + len, sizeof text - (size_t)len, "%" PRIu64 "|body", producer->base + line);
    if (is_long(line))
        len += snprintf(text + len, sizeof text - (size_t)len, "%080d", 0);
    text[len++] = '\n';
    stream_memory_send(producer->stream, span_of(text, (size_t)len));
}

static void step_producer(struct world *world, struct producer *producer)
{
    if (producer->is_cut || producer->stream->is_closed)
        return;
    for (uint64_t i = chance(world, 20); i > 0 && producer->sent < LINES; i--)
        send_line(world, producer);
    stream_memory_stall(producer->stream, chance(world, 10) == 0);
    if (chance(world, 300) == 0) {
        stream_memory_cut(producer->stream);
        producer->is_cut = true;
    }
}

static void step_store(struct world *world)
{
    store_memory_hold(world->store, chance(world, 2) == 0);
    (void)store_memory_finish(world->store, (uint32_t)chance(world, 4));
    store_memory_set_state(world->store, chance(world, 5) == 0 ? STORE_FULL : STORE_OPEN);
    store_memory_set_inflight_max(world->store, 100 + chance(world, 5000));
}

/* Lines with a number up to `line`, without those that were refused, are stored. */
static void expect_stored(struct world *world, const struct producer *producer, unsigned line)
{
    for (unsigned i = 1; i <= line; i++) {
        bool has = false;
        if (is_bad(i) || is_long(i))
            continue;
        expect_fine(world->store->ops->sequence_has(world->store, world->produce.shared.batcher.sequence,
                                                    producer->base + i, &has));
        if (!has)
            test_fail("line %u was acknowledged and is not stored", i);
    }
}

/* Reads the answers so far: ACK counts go up, and each line that is too long is refused in its place. */
static unsigned check_answers(struct world *world, const struct producer *producer)
{
    struct span rest = stream_memory_received(producer->stream);
    unsigned settled = 0;
    for (size_t end; (end = span_find(rest, '\n')) < rest.len; rest = span_after(rest, end + 1)) {
        struct span line = span_of(rest.data, end);
        uint64_t number;
        bool is_ack = span_starts_with(line, "ACK ");
        if (span_starts_with(line, "READY "))
            continue;
        (void)span_take_word(&line);
        expect(span_to_u64(span_take_word(&line), &number));
        expect(is_ack ? number > settled : number == settled + 1 && is_long((unsigned)number));
        for (unsigned i = settled + 1; is_ack && i <= number; i++)
            expect(!is_long(i));
        settled = (unsigned)number;
    }
    expect_stored(world, producer, settled);
    return settled;
}

static void begin(struct world *world, uint64_t seed)
{
    *world = (struct world){.settings = PRODUCE_SETTINGS_DEFAULT};
    loop_simulated_init(&world->simulated, seed);
    world->store = store_memory_new(&world->simulated.clock.clock);
    world->settings.max_line = 64;
    world->settings.window = (uint32_t)(1 + chance(world, 50));
    append_gate_init(&world->gate, world->store, &world->simulated.loop);
    expect_fine(produce_door_init(&world->produce, &world->settings, &world->gate, "random", NULL));
    for (unsigned i = 0; i < PRODUCERS; i++) {
        struct producer *producer = &world->producers[i];
        producer->base = i * 1000;
        producer->is_acknowledged = i % 2 == 0;
        producer->stream = stream_memory_new(&world->simulated);
        producer->stream->chunk_max = 1 + chance(world, 300);
        door_take_stream(&world->produce.door, &producer->stream->stream);
        if (producer->is_acknowledged)
            stream_memory_send_text(producer->stream, "HELLO 1\n");
    }
}

/* The store recovers, all read again, all end: everything that was sent is stored and answered. */
static void expect_all_at_the_end(struct world *world)
{
    store_memory_hold(world->store, false);
    store_memory_set_state(world->store, STORE_OPEN);
    (void)store_memory_finish(world->store, UINT32_MAX);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        stream_memory_stall(world->producers[i].stream, false);
        if (!world->producers[i].is_cut)
            stream_memory_end(world->producers[i].stream);
    }
    loop_simulated_pass(&world->simulated, 5 * CLOCK_NS_PER_S);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        struct producer *producer = &world->producers[i];
        expect(producer->stream->is_closed);
        if (producer->is_cut)
            continue;
        if (producer->is_acknowledged)
            expect_equal_u64(check_answers(world, producer), producer->sent);
        else
            expect_stored(world, producer, producer->sent);
    }
}

static void run(uint64_t seed)
{
    struct world world;
    begin(&world, seed);
    for (unsigned step = 0; step < STEPS; step++) {
        step_producer(&world, &world.producers[chance(&world, PRODUCERS)]);
        if (step % 4 == 0)
            step_store(&world);
        (void)loop_simulated_turn(&world.simulated);
        if (step % 40 == 0)
            for (unsigned i = 0; i < PRODUCERS; i += 2)
                (void)check_answers(&world, &world.producers[i]);
    }
    expect_all_at_the_end(&world);
    expect_equal_u64(world.gate.inflight_bytes, 0);
    expect_equal_u64(world.gate.kept_bytes, 0);
    for (unsigned i = 0; i < PRODUCERS; i++)
        stream_memory_free(world.producers[i].stream);
    produce_door_done(&world.produce);
    append_gate_done(&world.gate);
    store_memory_free(world.store);
    loop_simulated_done(&world.simulated);
}

TEST(nothing_acknowledged_is_missing_and_nothing_sent_is_left)
{
    uint64_t seed = test_number_from_environment("WAYBILL_SEED", 1);
    uint64_t rounds = test_number_from_environment("WAYBILL_CRASH_ROUNDS", 300);
    for (uint64_t round = 0; round < rounds; round++)
        run(seed + round);
}

TEST_MAIN(nothing_acknowledged_is_missing_and_nothing_sent_is_left)
