/* A frame of the journal's own that waits for the next group: TOPIC, SEQUENCE, RETIRE. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_INTERNAL_FRAME_H
#define JOURNAL_INTERNAL_FRAME_H

#include "journal/journal_state.h"

struct internal_frame {
    struct list link;
    enum frame_kind kind;
    struct segment *segment; /* RETIRE: which one */
    size_t payload_len;
    uint8_t payload[];
};

/* `payload` is copied; NULL: no memory. Made before what it tells of is changed, so that the two never differ. */
struct internal_frame *internal_frame_new(enum frame_kind kind, struct segment *segment, struct span payload);
/* The view lock may be held, the queue lock not. */
void internal_frame_queue(struct journal *journal, struct internal_frame *take_frame);

#endif
