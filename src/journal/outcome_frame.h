/* The frames that say what became of records: OUTCOMES, READER, SEEK, NOTE. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_OUTCOME_FRAME_H
#define JOURNAL_OUTCOME_FRAME_H

#include "journal/frame.h"

/*
 * OUTCOMES: group 4, topic 4, partition 4, outcome 1, length of `by` 1, attempts 2, status 4, number of runs 4, time 8,
 *           dead-letter topic 4, partition 4, offset 8, the runs (offset 8, count 4, zero 4), `by`
 * READER:   id 4, state 4, time 8, name
 * SEEK:     group 4, topic 4, partition 4, zero 4, offset 8, time 8
 * NOTE:     length of the key 4, of the value 4, key, value
 *
 * docs/formats/journal.md 2.
 */
enum {
    FRAME_OUTCOMES_FIXED = 48,
    FRAME_OUTCOME_RUN_SIZE = 16,
    FRAME_READER_FIXED = 16,
    FRAME_SEEK_SIZE = 32,
    FRAME_NOTE_FIXED = 8,
    FRAME_READER_MADE = 1,
    FRAME_READER_FORGOTTEN = 2,
};

#define FRAME_NOTE_GOES UINT32_MAX
/* In the place of a dead letter's topic: the record was given up without one. */
#define FRAME_NO_DEAD_LETTER UINT32_MAX

struct frame_outcomes {
    uint32_t group;
    uint32_t topic;
    uint32_t partition;
    uint8_t outcome;
    uint16_t attempts;
    uint32_t status;
    uint32_t run_count;
    int64_t wall_ns;
    struct store_position dead; /* of the first run's first offset */
    struct span runs;           /* as they stand in the frame */
    struct span by;
};

/* The fixed part; runs and `by` stand behind it. */
void frame_outcomes_write(uint8_t *payload, const struct frame_outcomes *outcomes);
void frame_outcomes_put_run(uint8_t *to, uint64_t offset, uint32_t count);
/* Known when the frame is written, not when it is made. */
void frame_outcomes_set_time(uint8_t *payload, int64_t wall_ns);
void frame_outcomes_set_dead(uint8_t *payload, uint64_t offset);
/* Also checks outcome, lengths, and that runs are not empty. */
bool frame_outcomes_read(struct span payload, struct frame_outcomes *ret_outcomes);
void frame_outcomes_at(const struct frame_outcomes *outcomes,
                       uint32_t index,
                       uint64_t *ret_offset,
                       uint32_t *ret_count);

struct frame_reader {
    uint32_t id;
    uint32_t state;
    int64_t wall_ns;
    struct span name;
};
/* `payload` has room for FRAME_READER_FIXED and the name; its length. */
size_t frame_reader_write(uint8_t *payload, const struct frame_reader *reader);
bool frame_reader_read(struct span payload, struct frame_reader *ret_reader);

void frame_seek_write(uint8_t *payload, const struct store_seek *seek);
void frame_seek_set_time(uint8_t *payload, int64_t wall_ns);
bool frame_seek_read(struct span payload, struct store_seek *ret_seek, int64_t *ret_wall_ns);

size_t frame_note_len(const struct store_note *note);
void frame_note_write(uint8_t *payload, const struct store_note *note);
bool frame_note_read(struct span payload, struct store_note *ret_note);

#endif
