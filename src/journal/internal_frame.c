/* The journal's own frames, queued. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/internal_frame.h"

#include <stdlib.h>
#include <string.h>

struct internal_frame *internal_frame_new(enum frame_kind kind, struct segment *segment, struct span payload)
{
    struct internal_frame *frame = malloc(sizeof *frame + payload.len);
    if (frame == NULL)
        return NULL;
    frame->kind = kind;
    frame->segment = segment;
    frame->payload_len = payload.len;
    memcpy(frame->payload, payload.data, payload.len);
    return frame;
}

void internal_frame_queue(struct journal *journal, struct internal_frame *take_frame)
{
    journal_lock(&journal->queue);
    list_insert_last(&journal->internal, &take_frame->link);
    journal->is_stuck = false; /* it may use the reserve, so the writer tries again */
    check(pthread_cond_signal(&journal->writer_wakes) == 0);
    journal_unlock(&journal->queue);
}
