/* Tests of the map against a naive one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "base/random.h"
#include "support/test.h"

enum { KEYS = 300, ROUNDS = 20000 };

struct member {
    char key[8];
    bool is_in;
};

static struct span key_of(const struct member *member)
{
    return span_of(member->key, 1 + (size_t)(member->key[0] % 7));
}

/* Random puts, gets and removals; the naive map is a flag beside each possible key. */
static void compare(uint64_t seed)
{
    static struct member members[KEYS];
    struct random random;
    struct map map;
    random_seed(&random, seed);
    map_init(&map, KEYS / 2, random_u64(&random));
    for (int i = 0; i < KEYS; i++)
        members[i] = (struct member){.key = {(char)(i % 5 + 2), (char)i, (char)(i >> 8)}};
    size_t count = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct member *member = &members[random_below(&random, KEYS)];
        if (random_below(&random, 2) == 0) {
            enum err expected = member->is_in ? ERR_EXISTS : count == KEYS / 2 ? ERR_TOO_MANY : ERR_NONE;
            expect_err(map_put(&map, key_of(member), member), expected);
            count += expected == ERR_NONE;
            member->is_in = member->is_in || expected == ERR_NONE;
        } else {
            expect(map_remove(&map, key_of(member)) == (member->is_in ? member : NULL));
            count -= member->is_in;
            member->is_in = false;
        }
        struct member *other = &members[random_below(&random, KEYS)];
        expect(map_get(&map, key_of(other)) == (other->is_in ? other : NULL));
        expect_equal_u64(map.count, count);
    }
    size_t walked = 0;
    size_t position = 0;
    for (struct member *member; (member = map_next(&map, &position)) != NULL; walked++)
        expect(member->is_in);
    expect_equal_u64(walked, count);
    map_done(&map);
}

TEST(map_agrees_with_a_naive_one)
{
    uint64_t first = random_u64(NULL);
    for (uint64_t seed = first; seed < first + 5; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        compare(seed);
    }
}

TEST(empty_map_has_nothing)
{
    struct map map;
    map_init(&map, 4, 0);
    size_t position = 0;
    expect_null(map_get(&map, span_from_text("a")));
    expect_null(map_remove(&map, span_from_text("a")));
    expect_null(map_next(&map, &position));
    char empty_key[] = "value";
    expect_fine(map_put(&map, span_of(NULL, 0), empty_key));
    expect(map_get(&map, span_of("", 0)) == empty_key);
    map_done(&map);
}

TEST_MAIN(map_agrees_with_a_naive_one, empty_map_has_nothing)
