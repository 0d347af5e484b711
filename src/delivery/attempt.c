/* A batch's states, and which records are in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/attempt.h"

#include <stdlib.h>

enum { RUNS_FIRST = 8 };

enum err attempt_new(struct target *target, void *owner, int64_t now_ns, struct attempt **ret_attempt)
{
    struct attempt *attempt = calloc(1, sizeof *attempt);
    if (attempt == NULL)
        return ERR_MEMORY;
    enum err err = target->ops->batch_new(target, &attempt->batch);
    if (err != ERR_NONE) {
        free(attempt);
        return err;
    }
    list_init(&attempt->link);
    attempt->owner = owner;
    attempt->begun_ns = now_ns;
    *ret_attempt = attempt;
    return ERR_NONE;
}

struct attempt *attempt_free(struct target *target, struct attempt *attempt)
{
    if (attempt == NULL)
        return NULL;
    check(attempt->state != ATTEMPT_SENDING);
    list_remove(&attempt->link);
    target->ops->batch_free(attempt->batch);
    free(attempt->runs);
    free(attempt);
    return NULL;
}

static bool
extends(const struct attempt_run *run, const struct group_member *member, struct store_position position)
{
    return run->member == member && run->first.topic == position.topic &&
           run->first.partition == position.partition && run->first.offset + run->count == position.offset;
}

enum err attempt_reserve(struct attempt *attempt)
{
    if (attempt->run_count < attempt->runs_size)
        return ERR_NONE;
    uint32_t size = attempt->runs_size == 0 ? RUNS_FIRST : attempt->runs_size * 2;
    struct attempt_run *runs = realloc(attempt->runs, size * sizeof *runs);
    if (runs == NULL)
        return ERR_MEMORY;
    attempt->runs = runs;
    attempt->runs_size = size;
    return ERR_NONE;
}

void attempt_note(struct attempt *attempt, struct group_member *member, struct store_position position)
{
    attempt->records++;
    if (attempt->run_count > 0 && extends(&attempt->runs[attempt->run_count - 1], member, position)) {
        attempt->runs[attempt->run_count - 1].count++;
        return;
    }
    check(attempt->run_count < attempt->runs_size);
    attempt->runs[attempt->run_count++] = (struct attempt_run){member, position, 1};
}

void attempt_move(struct attempt *attempt, enum attempt_state to)
{
    static const bool may[ATTEMPT_STATE_COUNT][ATTEMPT_STATE_COUNT] = {
        [ATTEMPT_GATHERING] = {[ATTEMPT_READY] = true},
        [ATTEMPT_READY] = {[ATTEMPT_SENDING] = true},
        [ATTEMPT_SENDING] = {[ATTEMPT_SETTLED] = true, [ATTEMPT_READY] = true, [ATTEMPT_WAITING] = true},
        [ATTEMPT_WAITING] = {[ATTEMPT_READY] = true},
    };
    check(may[attempt->state][to]);
    attempt->state = to;
}
