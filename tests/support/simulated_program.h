/* The program without its threads: journal, gates and doors over simulated loops and a disk in memory. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_SIMULATED_PROGRAM_H
#define SUPPORT_SIMULATED_PROGRAM_H

#include "door/acks_door.h"
#include "door/control_door.h"
#include "door/produce_door.h"
#include "journal/journal.h"
#include "support/fs_memory.h"
#include "support/loop_simulated.h"

/* Each has two doors, produce and acks. Lines are `<place>|<key>|<timestamp>|[<seq>|]<body>`, a place is a topic. */
enum simulated_sequence {
    SIMULATED_STORING,   /* duplicates are stored */
    SIMULATED_DROPPING,  /* duplicates are dropped */
    SIMULATED_NUMBERING, /* lines have no number */
    SIMULATED_SEQUENCES,
};

enum { SIMULATED_WORKERS_MAX = 4 };

/* A loop with all doors, as each thread of the program has them. */
struct simulated_worker {
    struct loop_simulated *simulated;
    struct append_gate gate;
    struct produce_door produce[SIMULATED_SEQUENCES];
    struct acks_door acks[SIMULATED_SEQUENCES];
};

struct simulated_program {
    struct loop_simulated simulated; /* the first worker's; its clock and its chances are the program's */
    struct loop_simulated others[SIMULATED_WORKERS_MAX - 1];
    struct simulated_worker workers[SIMULATED_WORKERS_MAX];
    unsigned worker_count;
    struct fs *fs;
    struct journal *journal;
    struct store *store;
    struct produce_settings settings[SIMULATED_SEQUENCES];
    struct control_door control; /* on the first worker's loop */
    void (*on_event)(void *owner, enum journal_event event, const char *fields);
    void *owner;
};

/* The loops and an empty disk; nothing is open. The same seed gives the same run. */
void simulated_program_init(struct simulated_program *program,
                            unsigned worker_count,
                            uint64_t seed,
                            size_t max_line);
void simulated_program_done(struct simulated_program *program);

enum err simulated_program_open_journal(struct simulated_program *program) MUST_CHECK;
void simulated_program_close_journal(struct simulated_program *program);
void simulated_program_open_doors(struct simulated_program *program);
/* SIGTERM: the doors ask their connections to finish. */
void simulated_program_drain(struct simulated_program *program);
/* Cuts what is left, stops the journal and closes all; the disk stays. */
void simulated_program_close(struct simulated_program *program);

struct simulated_worker *simulated_program_any_worker(struct simulated_program *program);
/* One turn of one of the loops. */
void simulated_program_turn(struct simulated_program *program);
/* Turns of all loops until none has work; time stands still. */
void simulated_program_settle(struct simulated_program *program);
/* The steps of the journal's threads until none has work. */
void simulated_program_settle_journal(struct simulated_program *program);
bool simulated_program_is_broken(const struct simulated_program *program);

#endif
