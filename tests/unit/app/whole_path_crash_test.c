/* Doors, gates and journal over simulated loops, disk and peers, in thousands of random schedules. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "support/simulated_clients.h"
#include "support/test.h"

/*
 * A schedule: clients send and ask, the loop turns, the journal's threads step, time passes, and now and then
 * something goes wrong: a peer stalls or is gone, a call to the disk fails, space runs out, the power is cut, the
 * program is stopped and started. Then peace: everything that stood in the way is taken away, and all that was
 * sent must become stored and be answered. What the clients were promised is held against the log at each start
 * and at the end.
 *
 * WAYBILL_SIMULATION_SEED=n runs one schedule and tells all its events, WAYBILL_SIMULATION_ROUNDS=n so many of them.
 */
enum {
    STEPS = 300,
    PEACE_STEPS = 20000,
    MAX_LINE = 6000,
    PAST_EVENTS = 32,
    EVENT_SIZE = 120,
};

static const uint64_t much_space = UINT64_C(1) << 40;

struct world {
    uint64_t seed;
    bool is_telling;
    struct simulated_program program;
    struct simulated_clients clients;
    struct ledger ledger;
    bool is_tight;  /* the disk is full from the start */
    bool is_slow;   /* much gathers before the disk takes it */
    bool is_doomed; /* disasters come often */
    bool has_fault; /* one was asked for in this life of the program */
    unsigned past_count;
    char past[PAST_EVENTS][EVENT_SIZE];
};

static uint64_t chance(struct world *world, uint64_t limit)
{
    return random_below(&world->program.simulated.random, limit);
}

/* --- Telling ---------------------------------------------------------------------------------------- */

static void note(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
static void note(struct world *world, const char *format, ...)
{
    char *event = world->past[world->past_count++ % PAST_EVENTS];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(event, EVENT_SIZE, format, arguments);
    va_end(arguments);
    if (world->is_telling)
        (void)printf("  %s\n", event);
}

static void on_journal_event(void *owner, enum journal_event event, const char *fields)
{
    note(owner, "journal event %d: %s", (int)event, fields);
}

static void tell_operations(struct world *world, uint64_t from)
{
    char text[256];
    for (uint64_t i = from; i < fs_memory_operations(world->program.fs); i++)
        note(world, "disk %s", fs_memory_describe(world->program.fs, i, text));
}

/* --- Life and death --------------------------------------------------------------------------------- */

/* What a power cut leaves behind some operation from `from` on. */
static struct fs *crash_disk(struct world *world, uint64_t from)
{
    static const char *const modes[] = {"kept", "dropped", "torn", "reordered"};
    struct fs *fs = world->program.fs;
    uint64_t at = from + chance(world, fs_memory_operations(fs) - from + 1);
    enum fs_memory_mode mode = (enum fs_memory_mode)chance(world, FS_MEMORY_MODE_COUNT);
    note(world, "power cut behind operation %" PRIu64 " of %" PRIu64 ": %s", at, fs_memory_operations(fs),
         modes[mode]);
    return fs_memory_crash(fs, at, mode, &world->program.simulated.random);
}

/* A recovery that does not come to its end, for lack of power or by a call to the disk that fails. */
static void recover_halfway(struct world *world)
{
    struct simulated_program *program = &world->program;
    uint64_t before = fs_memory_operations(program->fs);
    if (chance(world, 2) == 0)
        fs_memory_fail(program->fs, FS_MEMORY_ANY, 1 + chance(world, 40), ERR_IO);
    if (simulated_program_open_journal(program) == ERR_NONE)
        simulated_program_close_journal(program);
    fs_memory_fail(program->fs, FS_MEMORY_ANY, 0, ERR_NONE);
    tell_operations(world, before);
    struct fs *left = crash_disk(world, before);
    fs_memory_free(program->fs);
    program->fs = left;
}

static void start_program(struct world *world)
{
    struct simulated_program *program = &world->program;
    fs_memory_limit(program->fs, much_space);
    while (chance(world, 4) == 0)
        recover_halfway(world);
    uint64_t before = fs_memory_operations(program->fs);
    expect_fine(simulated_program_open_journal(program));
    tell_operations(world, before);
    expect_equal_u64(journal_recovery(program->journal)->damaged_ranges, 0);
    ledger_compare(&world->ledger, program->store);
    simulated_program_open_doors(program);
    if (world->is_tight)
        fs_memory_limit(program->fs, 0);
    world->has_fault = false;
}

/* Also in the middle of a step of the journal: what that step synced nobody has heard of yet. */
static void cut_power(struct world *world)
{
    struct simulated_program *program = &world->program;
    uint64_t before = fs_memory_operations(program->fs);
    if (chance(world, 2) == 0)
        (void)(chance(world, 4) > 0 ? journal_step(program->journal) : journal_chore_step(program->journal));
    tell_operations(world, before);
    struct fs *left = crash_disk(world, before);
    simulated_clients_outlive(&world->clients);
    fs_memory_fail(program->fs, FS_MEMORY_ANY, 0, ERR_NONE);
    simulated_program_close(program); /* on a disk that nobody looks at again */
    simulated_clients_forget(&world->clients);
    fs_memory_free(program->fs);
    program->fs = left;
    start_program(world);
}

/* SIGTERM: doors drain as far as they come, the rest is cut. The disk stays, with all that its cache holds. */
static void restart(struct world *world)
{
    struct simulated_program *program = &world->program;
    note(world, "stop and start");
    simulated_clients_excuse(&world->clients);
    simulated_program_drain(program);
    for (uint64_t i = chance(world, 30); i > 0; i--) {
        simulated_program_turn(program);
        (void)journal_step(program->journal);
    }
    simulated_program_close(program);
    simulated_clients_read(&world->clients);
    fs_memory_fail(program->fs, FS_MEMORY_ANY, 0, ERR_NONE);
    start_program(world);
}

/* --- Steps ------------------------------------------------------------------------------------------ */

static void fail_disk(struct world *world)
{
    static const enum fs_memory_call calls[] = {FS_MEMORY_PWRITEV, FS_MEMORY_FDATASYNC, FS_MEMORY_ANY};
    enum err err = chance(world, 3) == 0 ? ERR_NO_SPACE : ERR_IO;
    enum fs_memory_call call = calls[chance(world, 3)];
    uint64_t n = 1 + chance(world, 4);
    note(world, "call %" PRIu64 " of kind %d to the disk is to fail: %s", n, (int)call, err_name(err));
    world->has_fault = true;
    fs_memory_fail(world->program.fs, call, n, err);
}

static void change_space(struct world *world)
{
    bool is_little = chance(world, 2) == 0;
    note(world, is_little ? "no space is left" : "there is space again");
    fs_memory_limit(world->program.fs, is_little ? 0 : much_space);
}

static void pass_time(struct world *world)
{
    int64_t time_ns = (int64_t)chance(world, 30) * CLOCK_NS_PER_MS;
    if (chance(world, 4) == 0)
        time_ns *= 30;
    clock_fake_advance(&world->program.simulated.clock, time_ns);
}

static void step_loop(struct world *world)
{
    for (uint64_t i = 1 + chance(world, 4); i > 0; i--)
        simulated_program_turn(&world->program);
    if (world->has_fault)
        simulated_clients_excuse(&world->clients);
    simulated_clients_read(&world->clients);
}

static void step_journal(struct world *world)
{
    uint64_t before = fs_memory_operations(world->program.fs);
    uint64_t thread = chance(world, 5);
    if (world->is_slow && chance(world, 4) > 0)
        return;
    if (thread < 3)
        (void)journal_step(world->program.journal);
    else if (thread == 3)
        (void)journal_chore_step(world->program.journal);
    else
        (void)journal_read_step(world->program.journal);
    tell_operations(world, before);
}

static void step_disaster(struct world *world)
{
    uint64_t kind = chance(world, 8);
    if (kind < 2)
        cut_power(world);
    else if (kind < 3 || simulated_program_is_broken(&world->program))
        restart(world);
    else if (kind < 5)
        fail_disk(world);
    else
        change_space(world);
}

static void step(struct world *world)
{
    uint64_t kind = chance(world, world->is_doomed ? 108 : 100);
    if (kind < 25)
        simulated_clients_send(&world->clients);
    else if (kind < 55)
        step_loop(world);
    else if (kind < 84)
        step_journal(world);
    else if (kind < 88)
        pass_time(world);
    else if (kind < 94)
        simulated_clients_connect(&world->clients, (unsigned)chance(world, SIMULATED_CLIENTS));
    else if (kind < 96)
        simulated_clients_stall_one(&world->clients);
    else if (kind < 97)
        fs_memory_set_cold(world->program.fs, chance(world, 2) == 0);
    else if (kind < 98)
        simulated_clients_lose_one(&world->clients);
    else
        step_disaster(world);
}

/* --- Peace ------------------------------------------------------------------------------------------ */

static void make_peace(struct world *world)
{
    note(world, "peace");
    world->is_tight = false;
    simulated_clients_wake(&world->clients);
    fs_memory_set_cold(world->program.fs, false);
    fs_memory_fail(world->program.fs, FS_MEMORY_ANY, 0, ERR_NONE);
    fs_memory_limit(world->program.fs, much_space);
    if (simulated_program_is_broken(&world->program))
        restart(world);
    world->has_fault = false;
}

/* Sends what is left; a plain producer learns by its end that all is stored. */
static void finish_producer(struct simulated_clients *clients, unsigned which)
{
    struct produce_client *producer = &clients->producers[which];
    if (producer->stream == NULL && produce_client_is_done(producer))
        return;
    if (producer->stream == NULL)
        simulated_clients_connect(clients, which);
    bool may_send = !producer->has_ended && !producer->stream->is_closing;
    if (may_send && !produce_client_send(producer, 20, false))
        produce_client_end(producer);
}

static bool is_done(const struct produce_client *producer)
{
    return producer->stream == NULL && produce_client_is_done(producer);
}

static bool are_done(const struct simulated_clients *clients)
{
    for (unsigned i = 0; i < SIMULATED_PRODUCERS; i++)
        if (!is_done(&clients->producers[i]))
            return false;
    for (unsigned i = 0; i < SIMULATED_SEQUENCES; i++)
        if (clients->askers[i].stream != NULL && clients->askers[i].count > 0)
            return false;
    return true;
}

static void expect_done(const struct produce_client *producer)
{
    if (is_done(producer))
        return;
    const struct stream_memory *stream = producer->stream;
    test_fail("connection %" PRIu32 " does not come to its end: sent %" PRIu32 " lines, settled %" PRIu32
              "; paused %d, %zu bytes are not read",
              producer->connection, producer->sent, producer->settled, stream != NULL && stream->is_paused,
              stream != NULL ? stream->coming.len : 0);
}

static void run_peace(struct world *world)
{
    struct simulated_clients *clients = &world->clients;
    for (unsigned i = 0; i < PEACE_STEPS && !are_done(clients); i++) {
        for (unsigned j = 0; j < SIMULATED_PRODUCERS; j++)
            finish_producer(clients, j);
        for (unsigned j = 0; j < world->program.worker_count; j++)
            (void)loop_simulated_turn(world->program.workers[j].simulated);
        simulated_program_settle_journal(&world->program);
        simulated_clients_read(clients);
        clock_fake_advance(&world->program.simulated.clock, CLOCK_NS_PER_MS);
    }
    for (unsigned i = 0; i < SIMULATED_PRODUCERS; i++)
        expect_done(&clients->producers[i]);
    expect(are_done(clients));
}

static uint64_t records_of(struct store *store, const char *name)
{
    struct store_topic topic;
    uint64_t records = 0;
    expect_fine(store->ops->topic_open(store, span_from_text(name), 0, false, &topic));
    for (uint32_t i = 0; i < topic.partitions; i++) {
        struct store_extent extent;
        expect_fine(store->ops->extent(store, topic.id, i, &extent));
        records += extent.end - extent.start;
    }
    return records;
}

/* Who follows a topic has seen all of it in the end. */
static void finish_tail(struct world *world, struct tail_client *tail)
{
    simulated_program_settle(&world->program);
    tail_client_read(tail); /* its cut may have been under way */
    if (tail->stream == NULL)
        tail_client_connect(tail);
    for (unsigned i = 0; i < 10; i++) {
        simulated_program_settle(&world->program);
        simulated_program_settle_journal(&world->program);
    }
    tail_client_read(tail);
    expect_equal_u64(tail->records, records_of(world->program.store, tail->topic));
}

/* --- Rounds ----------------------------------------------------------------------------------------- */

static void begin(struct world *world, unsigned workers, uint64_t seed)
{
    static const size_t bodies[] = {40, 400, 4000};
    memset(world, 0, sizeof *world);
    world->seed = seed;
    world->is_telling = getenv("WAYBILL_SIMULATION_SEED") != NULL;
    simulated_program_init(&world->program, workers, seed, MAX_LINE);
    world->program.on_event = on_journal_event;
    world->program.owner = world;
    world->is_tight = chance(world, 3) == 0;
    world->is_slow = chance(world, 3) == 0;
    world->is_doomed = chance(world, 5) == 0;
    ledger_init(&world->ledger, MAX_LINE);
    simulated_clients_init(&world->clients, &world->program, &world->ledger, bodies[chance(world, 3)]);
    start_program(world);
}

static void end(struct world *world)
{
    struct simulated_program *program = &world->program;
    simulated_clients_outlive(&world->clients);
    simulated_program_settle(program);
    for (unsigned i = 0; i < program->worker_count; i++) {
        const struct simulated_worker *worker = &program->workers[i];
        expect_equal_u64(worker->gate.inflight_bytes, 0);
        expect_equal_u64(worker->gate.kept_bytes, 0);
        expect_equal_u64(worker->simulated->loop.queued_bytes, 0);
    }
    simulated_clients_forget(&world->clients);
    simulated_program_close(program);
    simulated_program_done(program);
    ledger_done(&world->ledger);
}

static void run(struct world *world, unsigned workers, uint64_t seed)
{
    begin(world, workers, seed);
    for (unsigned i = 0; i < STEPS; i++)
        step(world);
    make_peace(world);
    run_peace(world);
    for (unsigned i = 0; i < SIMULATED_TAILS; i++)
        finish_tail(world, &world->clients.tails[i]);
    ledger_compare(&world->ledger, world->program.store);
    end(world);
    world->past_count = 0;
}

static int prepare(void **state)
{
    log_set_level(LOG_FATAL);
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* a check that fails ends the process */
    *state = calloc(1, sizeof(struct world));
    return *state == NULL;
}

/* Also after a failure: then the schedule's last events are there. */
static int tell(void **state)
{
    struct world *world = *state;
    unsigned first = world->past_count < PAST_EVENTS ? 0 : world->past_count - PAST_EVENTS;
    if (world->past_count > 0)
        (void)printf("the last events of WAYBILL_SIMULATION_SEED=%" PRIu64 ":\n", world->seed);
    for (unsigned i = first; i < world->past_count; i++)
        (void)printf("  %s\n", world->past[i % PAST_EVENTS]);
    free(world);
    return 0;
}

static void run_rounds(struct world *world, bool has_several_loops)
{
    uint64_t seed = test_number_from_environment("WAYBILL_SIMULATION_SEED", 0);
    uint64_t few_rounds = 1000 / test_number_from_environment("WAYBILL_SPARSE", 1);
    uint64_t crash_rounds = test_number_from_environment("WAYBILL_CRASH_ROUNDS", few_rounds);
    uint64_t rounds = test_number_from_environment("WAYBILL_SIMULATION_ROUNDS", crash_rounds);
    if (has_several_loops)
        rounds = (rounds + 1) / 2; /* they take longer */
    if (seed != 0)
        rounds = 1;
    else
        seed = 1 + random_below(NULL, 1U << 30);
    for (uint64_t round = 0; round < rounds; round++) {
        unsigned several = 2 + (unsigned)((seed + round) % (SIMULATED_WORKERS_MAX - 1));
        run(world, has_several_loops ? several : 1, seed + round);
    }
}

static void run_schedules(void **state)
{
    run_rounds(*state, false);
}

static void run_schedules_of_loops(void **state)
{
    run_rounds(*state, true);
}

/* A TEST() has no teardown, and these have something to tell. */
static const struct CMUnitTest what_was_promised_is_kept_in_any_schedule[1] = {
    {"what_was_promised_is_kept_in_any_schedule", run_schedules, prepare, tell, NULL}};
static const struct CMUnitTest what_several_loops_promised_is_kept_in_any_schedule[1] = {
    {"what_several_loops_promised_is_kept_in_any_schedule", run_schedules_of_loops, prepare, tell, NULL}};

TEST_MAIN(what_was_promised_is_kept_in_any_schedule, what_several_loops_promised_is_kept_in_any_schedule)
