/* The journal's own frames, queued. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/internal_frame.h"

#include <stdlib.h>
#include <string.h>

enum err internal_frame_queue(struct journal *journal,
                              enum frame_kind kind,
                              struct segment *segment,
                              struct span payload)
{
    struct internal_frame *frame = malloc(sizeof *frame + payload.len);
    if (frame == NULL)
        return ERR_MEMORY;
    frame->kind = kind;
    frame->segment = segment;
    frame->payload_len = payload.len;
    memcpy(frame->payload, payload.data, payload.len);
    journal_lock(&journal->queue);
    list_insert_last(&journal->internal, &frame->link);
    check(pthread_cond_signal(&journal->writer_wakes) == 0);
    journal_unlock(&journal->queue);
    return ERR_NONE;
}
