/* A buffer goes from one reader to the next: first come, first served, and who cannot use it makes room. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/read_pool.h"

#include <stdlib.h>

static void give_turns(struct loop_task *task);

void read_pool_init(struct read_pool *pool, struct loop *loop)
{
    *pool = (struct read_pool){.loop = loop};
    loop_task_init(&pool->task, give_turns);
    list_init(&pool->sitting);
    list_init(&pool->waiting);
    buffer_init(&pool->lines, SIZE_MAX / 2); /* its users bound it by what they have read */
}

void read_pool_done(struct read_pool *pool)
{
    check(list_is_empty(&pool->sitting) && list_is_empty(&pool->waiting));
    loop_task_cancel(&pool->task);
    while (pool->spare_count > 0)
        free(pool->spare[--pool->spare_count]);
    buffer_done(&pool->lines);
}

void read_seat_init(struct read_seat *seat,
                    void (*on_turn)(struct read_seat *seat),
                    void (*on_taken)(struct read_seat *seat))
{
    *seat = (struct read_seat){.on_turn = on_turn, .on_taken = on_taken};
    list_init(&seat->link);
}

static void put_back(struct read_pool *pool, struct read_seat *seat)
{
    if (seat->buffer != NULL && seat->size == READ_POOL_SIZE && pool->spare_count < READ_POOL_SPARE)
        pool->spare[pool->spare_count++] = seat->buffer;
    else
        free(seat->buffer);
    seat->buffer = NULL;
    seat->size = 0;
}

static void stand_up(struct read_pool *pool, struct read_seat *seat)
{
    put_back(pool, seat);
    list_remove(&seat->link);
    seat->is_idle = false;
    pool->sitting_count--;
    if (!list_is_empty(&pool->waiting))
        loop_at_end_of_turn(pool->loop, &pool->task);
}

static enum err sit_down(struct read_pool *pool, struct read_seat *seat)
{
    seat->buffer = pool->spare_count > 0 ? pool->spare[--pool->spare_count] : malloc(READ_POOL_SIZE);
    if (seat->buffer == NULL)
        return ERR_MEMORY;
    seat->size = READ_POOL_SIZE;
    list_remove(&seat->link);
    list_insert_last(&pool->sitting, &seat->link);
    pool->sitting_count++;
    return ERR_NONE;
}

/* False when all that sit use what they have. */
static bool take_from_idle(struct read_pool *pool)
{
    LIST_EACH (&pool->sitting, link) {
        struct read_seat *seat = LIST_OWNER(link, struct read_seat, link);
        if (!seat->is_idle)
            continue;
        seat->on_taken(seat);
        stand_up(pool, seat);
        return true;
    }
    return false;
}

static bool has_room(struct read_pool *pool)
{
    return pool->sitting_count < READ_POOL_SEATS || take_from_idle(pool);
}

enum err read_pool_take(struct read_pool *pool, struct read_seat *seat)
{
    if (seat->buffer != NULL)
        return ERR_NONE;
    if (list_is_empty(&pool->waiting) && has_room(pool))
        return sit_down(pool, seat);
    if (list_is_empty(&seat->link))
        list_insert_last(&pool->waiting, &seat->link);
    return ERR_PENDING;
}

/* Without memory it has its turn all the same, and is told when it asks. */
static void give_turns(struct loop_task *task)
{
    struct read_pool *pool = LIST_OWNER(task, struct read_pool, task);
    while (!list_is_empty(&pool->waiting) && has_room(pool)) {
        struct read_seat *seat = LIST_OWNER(pool->waiting.next, struct read_seat, link);
        if (sit_down(pool, seat) != ERR_NONE)
            list_remove(&seat->link);
        seat->on_turn(seat);
    }
}

bool read_pool_is_wanted(const struct read_pool *pool)
{
    return !list_is_empty(&pool->waiting);
}

enum err read_pool_enlarge(struct read_pool *pool, struct read_seat *seat, size_t size)
{
    check(seat->buffer != NULL);
    if (size <= seat->size)
        return ERR_NONE;
    free(seat->buffer);
    seat->buffer = malloc(size);
    seat->size = size;
    if (seat->buffer != NULL)
        return ERR_NONE;
    stand_up(pool, seat);
    return ERR_MEMORY;
}

void read_pool_set_idle(struct read_pool *pool, struct read_seat *seat, bool is_idle)
{
    seat->is_idle = is_idle && seat->buffer != NULL;
    if (seat->is_idle && !list_is_empty(&pool->waiting))
        loop_at_end_of_turn(pool->loop, &pool->task);
}

void read_pool_leave(struct read_pool *pool, struct read_seat *seat)
{
    if (seat->buffer != NULL)
        stand_up(pool, seat);
    list_remove(&seat->link);
}

void read_pool_clear_lines(struct read_pool *pool)
{
    buffer_clear(&pool->lines);
    if (pool->lines.size > READ_POOL_LINES_KEPT)
        buffer_release(&pool->lines);
}
