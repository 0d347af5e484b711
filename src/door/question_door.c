/* A port that is asked questions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/question_door.h"

#include "door/question_connection.h"

/* Answers are written when half of it is used: the other half is for the one that comes next. */
enum { ANSWERS_SIZE_MAX = 2 * QUESTION_STEP_SIZE_MAX };

static enum err on_accepted(struct door *door, struct stream *stream)
{
    struct question_shared *shared = &LIST_OWNER(door, struct question_door, door)->shared;
    enum err err = buffer_reserve(&shared->answers, ANSWERS_SIZE_MAX);
    return err == ERR_NONE ? question_connection_new(shared, door, stream) : err;
}

static void on_turn(struct loop_task *task)
{
    struct question_shared *shared = LIST_OWNER(task, struct question_shared, turn);
    question_connection_take_turn(shared);
    if (!list_is_empty(&shared->turns))
        loop_at_end_of_turn(shared->loop, &shared->turn);
}

void question_door_init(struct question_door *questions,
                        struct loop *loop,
                        const char *name,
                        struct question_answerer *answerer,
                        bool is_kmq)
{
    static const struct door_ops ops = {.on_accepted = on_accepted, .drain = question_connection_drain};
    *questions = (struct question_door){.shared = {.answerer = answerer, .is_kmq = is_kmq, .loop = loop}};
    door_init(&questions->door, &ops, loop, name);
    buffer_init(&questions->shared.answers, ANSWERS_SIZE_MAX);
    list_init(&questions->shared.turns);
    loop_task_init(&questions->shared.turn, on_turn);
}

void question_door_done(struct question_door *questions)
{
    door_done(&questions->door);
    check(list_is_empty(&questions->shared.turns));
    loop_task_cancel(&questions->shared.turn);
    buffer_done(&questions->shared.answers);
}
