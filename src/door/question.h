/* The seam between a port that is asked questions and what answers them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOOR_QUESTION_H
#define DOOR_QUESTION_H

#include "base/buffer.h"
#include "io/loop.h"

enum {
    QUESTION_LINE_MAX = 1024,           /* bytes of a question; of a longer one only the beginning comes */
    QUESTION_LIST_MAX = 64 * 1024,      /* of a list in an answer; ` more` comes behind it */
    QUESTION_STEP_SIZE_MAX = 65 * 1024, /* what one call may add to the answers */
};

enum question_state {
    QUESTION_DONE,  /* the whole answer is there */
    QUESTION_MORE,  /* a part of it may be: go_on in a later turn */
    QUESTION_LATER, /* the answerer calls on_ready when there is more: then go_on */
};

/* One who asks: one question at a time. */
struct question {
    struct loop *loop;
    void (*on_ready)(struct question *question); /* not from inside a call */
    void *work;                                  /* the answerer's own; NULL at first */
};

struct question_answerer;

/* Answers end with LF. The buffer has QUESTION_STEP_SIZE_MAX bytes left in each call. */
struct question_answerer_ops {
    /* Before the first answers of a turn; may be NULL. */
    void (*begin)(struct question_answerer *answerer);
    /* `line` is without its end. */
    enum question_state (*answer)(struct question_answerer *answerer,
                                  struct question *question,
                                  struct span line,
                                  struct buffer *answers);
    enum question_state (*go_on)(struct question_answerer *answerer,
                                 struct question *question,
                                 struct buffer *answers);
    /* Whoever asked has gone, perhaps in the middle of an answer: on_ready comes no more. */
    void (*forget)(struct question_answerer *answerer, struct question *question);
};

struct question_answerer {
    const struct question_answerer_ops *ops;
};

#endif
