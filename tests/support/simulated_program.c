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

void simulated_program_init(struct simulated_program *program, uint64_t seed, size_t max_line)
{
    *program = (struct simulated_program){.journal = NULL};
    loop_simulated_init(&program->simulated, seed);
    program->fs = fs_memory_new();
    init_settings(program, max_line);
}

void simulated_program_done(struct simulated_program *program)
{
    program->fs = fs_memory_free(program->fs);
    loop_simulated_done(&program->simulated);
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

void simulated_program_open_doors(struct simulated_program *program)
{
    struct loop *loop = &program->simulated.loop;
    append_gate_init(&program->gate, program->store, loop);
    for (uint32_t i = 0; i < SIMULATED_SEQUENCES; i++) {
        struct acks_options options = {.sequence = i};
        expect_fine(
            produce_door_init(&program->produce[i], &program->settings[i], &program->gate, "produce", NULL));
        expect_equal_u64(program->produce[i].shared.batcher.sequence, i);
        acks_door_init(&program->acks[i], loop, "acks", program->store, options);
    }
    control_door_init(&program->control, loop, "control", program->store,
                      (struct control_options){.owner = NULL});
}

void simulated_program_drain(struct simulated_program *program)
{
    for (uint32_t i = 0; i < SIMULATED_SEQUENCES; i++) {
        door_drain(&program->produce[i].door, NULL, NULL);
        door_drain(&program->acks[i].questions.door, NULL, NULL);
    }
    door_drain(&program->control.door, NULL, NULL);
}

void simulated_program_close(struct simulated_program *program)
{
    for (uint32_t i = 0; i < SIMULATED_SEQUENCES; i++) {
        door_cut(&program->produce[i].door);
        door_cut(&program->acks[i].questions.door);
    }
    door_cut(&program->control.door);
    while (journal_read_step(program->journal))
        ;
    journal_stop(program->journal);
    loop_simulated_settle(&program->simulated);
    for (uint32_t i = 0; i < SIMULATED_SEQUENCES; i++) {
        produce_door_done(&program->produce[i]);
        acks_door_done(&program->acks[i]);
    }
    control_door_done(&program->control);
    append_gate_done(&program->gate);
    simulated_program_close_journal(program);
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
