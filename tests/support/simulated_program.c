/* Opens and closes what serves, as the program does. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/simulated_program.h"

#include "support/test.h"

/* Small, so that schedules reach all that happens between segments. */
enum { SEGMENT_SIZE = 128 * 1024, PARTITIONS = 3, TOPICS_MAX = 16, IDENTITIES_MAX = 10000 };

static void init_settings(struct simulated_program *program, size_t max_line)
{
    static const char *const sequences[] = {"storing", "dropping", "numbering"};
    for (uint32_t i = 0; i < SIMULATED_SEQUENCES; i++) {
        struct produce_settings *settings = &program->settings[i];
        *settings = PRODUCE_SETTINGS_DEFAULT;
        settings->fields = span_from_text(i == SIMULATED_NUMBERING ? "place|key|timestamp|body"
                                                                   : "place|key|timestamp|seq|body");
        settings->topic = span_from_text("{place}");
        settings->sequence = span_from_text(sequences[i]);
        settings->drop_duplicates = i == SIMULATED_DROPPING;
        settings->window = (uint32_t)(1 + random_below(&program->simulated.random, 40));
        settings->max_line = (uint32_t)max_line;
    }
}

void simulated_program_init(struct simulated_program *program,
                            unsigned worker_count,
                            uint64_t seed,
                            size_t max_line)
{
    check(worker_count > 0 && worker_count <= SIMULATED_WORKERS_MAX);
    *program = (struct simulated_program){.worker_count = worker_count};
    loop_simulated_init(&program->simulated, seed);
    program->workers[0].simulated = &program->simulated;
    for (unsigned i = 1; i < worker_count; i++) {
        loop_simulated_init_beside(&program->others[i - 1], &program->simulated);
        program->workers[i].simulated = &program->others[i - 1];
    }
    program->fs = fs_memory_new();
    init_settings(program, max_line);
}

void simulated_program_done(struct simulated_program *program)
{
    program->fs = fs_memory_free(program->fs);
    for (unsigned i = 0; i < program->worker_count; i++)
        loop_simulated_done(program->workers[i].simulated);
}

enum err simulated_program_open_journal(struct simulated_program *program)
{
    struct journal_settings settings;
    struct why why = {{0}};
    journal_settings_default(&settings);
    settings.segment_size = SEGMENT_SIZE;
    settings.append_size_max = SEGMENT_SIZE / 4;
    settings.record_size_max = SEGMENT_SIZE / 8;
    settings.topics_max = TOPICS_MAX;
    settings.identities_max = IDENTITIES_MAX;
    settings.defaults.partitions = PARTITIONS;
    struct journal_seams seams = {
        .fs = program->fs,
        .clock = &program->simulated.clock.clock,
        .random = &program->simulated.random,
        .on_event = program->on_event,
        .owner = program->owner,
    };
    enum err err = journal_open(&seams, &settings, &why, &program->journal);
    program->store = err == ERR_NONE ? journal_store(program->journal) : NULL;
    return err;
}

void simulated_program_close_journal(struct simulated_program *program)
{
    program->journal = journal_free(program->journal);
    program->store = NULL;
}

static void open_worker(struct simulated_program *program, struct simulated_worker *worker)
{
    struct loop *loop = &worker->simulated->loop;
    append_gate_init(&worker->gate, program->store, loop);
    for (uint32_t i = 0; i < SIMULATED_SEQUENCES; i++) {
        struct acks_options options = {.sequence = i};
        expect_fine(
            produce_door_init(&worker->produce[i], &program->settings[i], &worker->gate, "produce", NULL));
        expect_equal_u64(worker->produce[i].shared.batcher.sequence, i);
        acks_door_init(&worker->acks[i], loop, "acks", program->store, options);
    }
}

void simulated_program_open_doors(struct simulated_program *program)
{
    for (unsigned i = 0; i < program->worker_count; i++)
        open_worker(program, &program->workers[i]);
    control_door_init(&program->control, &program->simulated.loop, "control", program->store,
                      (struct control_options){.owner = NULL});
}

void simulated_program_drain(struct simulated_program *program)
{
    for (unsigned i = 0; i < program->worker_count; i++) {
        for (uint32_t j = 0; j < SIMULATED_SEQUENCES; j++) {
            door_drain(&program->workers[i].produce[j].door, NULL, NULL);
            door_drain(&program->workers[i].acks[j].questions.door, NULL, NULL);
        }
    }
    door_drain(&program->control.door, NULL, NULL);
}

static void cut_worker(struct simulated_worker *worker)
{
    for (uint32_t i = 0; i < SIMULATED_SEQUENCES; i++) {
        door_cut(&worker->produce[i].door);
        door_cut(&worker->acks[i].questions.door);
    }
}

static void close_worker(struct simulated_worker *worker)
{
    for (uint32_t i = 0; i < SIMULATED_SEQUENCES; i++) {
        produce_door_done(&worker->produce[i]);
        acks_door_done(&worker->acks[i]);
    }
    append_gate_done(&worker->gate);
}

void simulated_program_close(struct simulated_program *program)
{
    for (unsigned i = 0; i < program->worker_count; i++)
        cut_worker(&program->workers[i]);
    door_cut(&program->control.door);
    while (journal_read_step(program->journal))
        ;
    journal_stop(program->journal);
    simulated_program_settle(program);
    control_door_done(&program->control);
    for (unsigned i = 0; i < program->worker_count; i++)
        close_worker(&program->workers[i]);
    simulated_program_close_journal(program);
}

struct simulated_worker *simulated_program_any_worker(struct simulated_program *program)
{
    unsigned count = program->worker_count;
    return &program->workers[count == 1 ? 0 : random_below(&program->simulated.random, count)];
}

void simulated_program_turn(struct simulated_program *program)
{
    (void)loop_simulated_turn(simulated_program_any_worker(program)->simulated);
}

/* One loop may have posted to another that was at rest already. */
void simulated_program_settle(struct simulated_program *program)
{
    bool was_busy = true;
    while (was_busy) {
        was_busy = false;
        for (unsigned i = 0; i < program->worker_count; i++) {
            was_busy |= loop_simulated_turn(program->workers[i].simulated);
            loop_simulated_settle(program->workers[i].simulated);
        }
    }
}

void simulated_program_settle_journal(struct simulated_program *program)
{
    while (journal_step(program->journal) || journal_chore_step(program->journal) ||
           journal_read_step(program->journal))
        ;
}

bool simulated_program_is_broken(const struct simulated_program *program)
{
    return program->store->ops->state(program->store, NULL) == STORE_BROKEN;
}
