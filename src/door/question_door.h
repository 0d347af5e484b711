/* A port that is asked questions, one a line: acks, status. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_QUESTION_DOOR_H
#define DOOR_QUESTION_DOOR_H

#include "door/door.h"
#include "door/question_shared.h"

struct question_door {
    struct door door; /* to listen, drain and cut */
    struct question_shared shared;
};

/* One for each loop. `name` and the answerer must outlive it. */
void question_door_init(struct question_door *questions,
                        struct loop *loop,
                        const char *name,
                        struct question_answerer *answerer,
                        bool is_kmq);
/* No connection is left. */
void question_door_done(struct question_door *questions);

#endif
