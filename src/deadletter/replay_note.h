/* What is kept of a replay over restarts: a JSON object in a note, and its ranges in further ones. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEADLETTER_REPLAY_NOTE_H
#define DEADLETTER_REPLAY_NOTE_H

#include "deadletter/letter_filter.h"
#include "store/append_builder.h"
#include "store/record_scan.h"

enum {
    REPLAY_ID_SIZE = 9,     /* 8 digits and the zero byte */
    REPLAY_PARTITIONS = 64, /* of one note of ranges */
};

enum replay_state { REPLAY_RUNNING, REPLAY_DONE, REPLAY_STOPPED, REPLAY_STATE_COUNT };

/* The note without its ranges. Texts are kept with a zero byte behind them. */
struct replay_note {
    uint64_t id;
    enum replay_state state;
    char topic[STORE_TOPIC_NAME_MAX + 1];
    char delivery[STORE_TOPIC_NAME_MAX + 1]; /* the group that gets them; empty: the one that failed them */
    char by[STORE_BY_MAX + 1];
    char reason[LETTER_PATTERN_MAX + 1]; /* patterns; empty: any */
    char key[LETTER_PATTERN_MAX + 1];
    uint64_t rate; /* records a second; 0: no limit */
    bool is_last_retry;
    bool is_counted; /* wanted is known */
    int64_t started_ms;
    int64_t ended_ms; /* 0: it has not */
    uint64_t wanted;  /* that were open when it began */
    uint64_t settled; /* of them, when it ended */
    uint64_t failed_again;
    char why[160]; /* it was stopped; "" */
};

/* "00000017" */
void replay_id_put(char text[static REPLAY_ID_SIZE], uint64_t id);
/* False for anything but 1 to 8 digits, and for 0. */
bool replay_id_parse(struct span text, uint64_t *ret_id);

/* Adds the note, or with is_gone takes it and its ranges away. Errors: those of the builder; TOO_LARGE when texts are too long. */
enum err replay_note_add(struct append_builder *builder, const struct replay_note *note) MUST_CHECK;
enum err replay_note_add_ranges(struct append_builder *builder,
                                uint64_t id,
                                const struct record_scan_range *ranges,
                                uint32_t count) MUST_CHECK;
enum err replay_note_forget(struct append_builder *builder, uint64_t id, uint32_t partitions) MUST_CHECK;

/* False: it is none that this version wrote. */
bool replay_note_read(struct span key, struct span value, struct replay_note *ret_note);
/* Ranges of partitions that are not named are left as they are. NOT_FOUND, BAD_INPUT, MEMORY. */
enum err replay_note_read_ranges(struct store *store,
                                 uint64_t id,
                                 struct record_scan_range *ranges,
                                 uint32_t count) MUST_CHECK;

/* "running" */
const char *replay_state_name(enum replay_state state);

#endif
