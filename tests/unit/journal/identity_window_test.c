/* Tests of the window of identities, against a plain list. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/identity_window.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/random.h"
#include "support/test.h"

enum { BLOCK_BYTES = 98304 };

static void hash_of(uint64_t number, uint8_t ret_hash[IDENTITY_HASH_SIZE])
{
    memset(ret_hash, 0, IDENTITY_HASH_SIZE);
    bytes_put_le64(ret_hash, number);
}

static enum err admit(struct identity_window *window, uint64_t number, int64_t now_wall_ns)
{
    uint8_t hash[IDENTITY_HASH_SIZE];
    hash_of(number, hash);
    return identity_window_admit(window, hash, now_wall_ns);
}

static enum err load(struct identity_window *window, uint64_t number, int64_t wall_ns)
{
    uint8_t hash[IDENTITY_HASH_SIZE];
    hash_of(number, hash);
    return identity_window_load(window, hash, wall_ns);
}

static void remove_number(struct identity_window *window, uint64_t number)
{
    uint8_t hash[IDENTITY_HASH_SIZE];
    hash_of(number, hash);
    identity_window_remove(window, hash);
}

TEST(identity_is_known_until_its_time_is_over)
{
    struct identity_window window;
    expect_fine(identity_window_init(&window, 10, 100, 1));
    expect_fine(admit(&window, 1, 1000));
    expect_fine(admit(&window, 2, 1050));
    expect_err(admit(&window, 1, 1099), ERR_EXISTS);
    expect_fine(admit(&window, 1, 1100));
    expect_err(admit(&window, 2, 1149), ERR_EXISTS);
    expect_err(admit(&window, 1, 1199), ERR_EXISTS);
    expect_equal_u64(identity_window_count(&window), 1);
    identity_window_done(&window);
}

TEST(oldest_identity_makes_room_at_the_limit)
{
    struct identity_window window;
    expect_fine(identity_window_init(&window, 3, 100, 1));
    for (uint64_t number = 1; number <= 4; number++)
        expect_fine(admit(&window, number, 1000));
    expect_equal_u64(identity_window_count(&window), 3);
    expect_err(admit(&window, 2, 1000), ERR_EXISTS);
    expect_fine(admit(&window, 1, 1000));
    expect_fine(admit(&window, 2, 1000));
    identity_window_done(&window);
}

TEST(removed_identity_may_come_again)
{
    struct identity_window window;
    expect_fine(identity_window_init(&window, 10, 100, 1));
    remove_number(&window, 1);
    expect_fine(admit(&window, 1, 1000));
    expect_fine(admit(&window, 2, 1000));
    remove_number(&window, 1);
    remove_number(&window, 1);
    expect_equal_u64(identity_window_count(&window), 1);
    expect_fine(admit(&window, 1, 1050));
    expect_fine(admit(&window, 3, 1120)); /* 2 and the first place of 1 are over, the second is not */
    expect_err(admit(&window, 1, 1120), ERR_EXISTS);
    expect_equal_u64(identity_window_count(&window), 2);
    identity_window_done(&window);
}

TEST(loaded_identities_count_from_their_own_time)
{
    struct identity_window window;
    expect_fine(identity_window_init(&window, 3, 100, 1));
    expect_fine(load(&window, 1, INT64_MIN));
    expect_fine(load(&window, 2, 1000));
    expect_fine(load(&window, 3, 1050));
    expect_fine(load(&window, 2, 1080)); /* came again after it had been forgotten */
    expect_err(admit(&window, 2, 1140), ERR_EXISTS);
    expect_err(admit(&window, 3, 1140), ERR_EXISTS);
    expect_fine(admit(&window, 3, 1150));
    expect_fine(admit(&window, 1, 1150));
    identity_window_done(&window);
}

TEST(memory_follows_what_is_held)
{
    struct identity_window window;
    expect_fine(identity_window_init(&window, 1000000, 1000, 1));
    expect(identity_window_bytes(&window) < 4096);
    for (uint64_t number = 0; number < 100000; number++)
        expect_fine(admit(&window, number, (int64_t)number)); /* never more than 1000 at once */
    expect(identity_window_bytes(&window) < 2 * BLOCK_BYTES + 16384);
    for (uint64_t number = 0; number < 1000000; number++)
        expect_fine(admit(&window, 1000000 + number, 200000));
    expect_equal_u64(identity_window_count(&window), 1000000);
    expect(identity_window_bytes(&window) < 33000000);
    expect_fine(admit(&window, 1, 1000000));
    expect_equal_u64(identity_window_count(&window), 1);
    expect(identity_window_bytes(&window) < BLOCK_BYTES + 9000000);
    identity_window_done(&window);
}

TEST(memory_follows_what_is_held_when_nothing_expires)
{
    struct identity_window window;
    expect_fine(identity_window_init(&window, 1000000, INT64_MAX, 1));
    for (uint64_t number = 0; number < 100000; number++) {
        expect_fine(admit(&window, number, 1000));
        remove_number(&window, number);
    }
    expect_equal_u64(identity_window_count(&window), 0);
    expect(identity_window_bytes(&window) < 2 * BLOCK_BYTES + 16384);
    identity_window_done(&window);
}

/* --- The model ---------------------------------------------------------------------------------- */

enum { NUMBERS = 400, STEPS = 20000, COUNT_MAX = 150, AGE_MAX = 1000 };

/* Those that are there, the oldest first. A removed one keeps its place in the count, as in the window. */
struct model {
    uint32_t numbers[STEPS];
    int64_t times[STEPS];
    bool is_removed[STEPS];
    uint32_t first;
    uint32_t end;
};

static uint32_t find(const struct model *model, uint32_t number)
{
    uint32_t place = model->first;
    while (place < model->end && (model->numbers[place] != number || model->is_removed[place]))
        place++;
    return place;
}

static void add(struct model *model, uint32_t number, int64_t now)
{
    if (model->end - model->first == COUNT_MAX)
        model->first++;
    model->numbers[model->end] = number;
    model->times[model->end++] = now;
}

static enum err model_admit(struct model *model, uint32_t number, int64_t now)
{
    while (model->first < model->end &&
           (model->is_removed[model->first] || model->times[model->first] <= now - AGE_MAX))
        model->first++;
    if (find(model, number) < model->end)
        return ERR_EXISTS;
    add(model, number, now);
    return ERR_NONE;
}

static void model_remove(struct model *model, uint32_t number)
{
    uint32_t place = find(model, number);
    if (place < model->end)
        model->is_removed[place] = true;
}

static void compare(struct model *model, struct random *random)
{
    struct identity_window window;
    int64_t now = 1000;
    expect_fine(identity_window_init(&window, COUNT_MAX, AGE_MAX, random_u64(random)));
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t number = (uint32_t)random_below(random, NUMBERS);
        now += (int64_t)random_below(random, random_below(random, 100) == 0 ? 500
                                             : step % 4000 < 2000           ? 4
                                                                            : 20);
        switch (random_below(random, 10)) {
        case 0:
            remove_number(&window, number);
            model_remove(model, number);
            break;
        case 1:
            expect_fine(load(&window, number, now));
            model_remove(model, number);
            add(model, number, now);
            break;
        default: expect_err(admit(&window, number, now), model_admit(model, number, now)); break;
        }
    }
    uint32_t count = 0;
    for (uint32_t place = model->first; place < model->end; place++)
        count += model->is_removed[place] ? 0 : 1;
    expect_equal_u64(identity_window_count(&window), count);
    identity_window_done(&window);
}

TEST(window_answers_like_a_plain_list)
{
    uint64_t first = random_u64(NULL) % 1000000;
    for (uint64_t seed = first; seed < first + 5; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        struct model *model = calloc(1, sizeof *model);
        struct random random;
        random_seed(&random, seed);
        compare(model, &random);
        free(model);
    }
}

TEST_MAIN(identity_is_known_until_its_time_is_over,
          oldest_identity_makes_room_at_the_limit,
          removed_identity_may_come_again,
          loaded_identities_count_from_their_own_time,
          memory_follows_what_is_held,
          memory_follows_what_is_held_when_nothing_expires,
          window_answers_like_a_plain_list)
