/* What the connections of one port that is asked questions share on a loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_QUESTION_SHARED_H
#define DOOR_QUESTION_SHARED_H

#include "door/question.h"

struct question_shared {
    struct question_answerer *answerer;
    bool is_kmq;           /* one question, its answer, close */
    struct buffer answers; /* of the connection that is being read; empty in between */
    struct list turns;     /* connections that go on in later turns, one in each */
    struct loop_task turn;
    struct loop *loop;
};

#endif
