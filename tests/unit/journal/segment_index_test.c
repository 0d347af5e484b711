/* Tests of the index in memory, against a list of all batches. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/segment_index.h"

#include <stdlib.h>

#include "base/random.h"
#include "support/test.h"

enum { INDEX_SIZE = 1 << 20, KIB = 1024 };

static struct segment_index *new_index(size_t bytes_max)
{
    struct segment_index *index = NULL;
    expect_fine(segment_index_new(bytes_max, &index));
    return index;
}

/* Ten records a batch, offsets without holes, a second from batch to batch. */
static void add(struct segment_index *index, uint32_t slot, uint32_t position, uint32_t len)
{
    struct index_summary summary = {0};
    (void)segment_index_summary(index, slot, &summary);
    struct index_batch batch = {.slot = slot,
                                .records = 10,
                                .base_offset = summary.end_offset,
                                .position = position,
                                .len = len,
                                .wall_ns = summary.last_ns + 1000000000};
    expect_fine(segment_index_add_batch(index, &batch));
}

static void expect_extent(
    const struct segment_index *index, uint32_t number, uint64_t base_offset, uint32_t position, uint32_t len)
{
    uint32_t count;
    const struct index_extent *extents = segment_index_extents(index, 0, &count);
    expect(number < count);
    expect_equal_u64(extents[number].base_offset, base_offset);
    expect_equal_u64(extents[number].position, position);
    expect_equal_u64(extents[number].len, len);
}

TEST(batches_with_small_gaps_make_one_extent)
{
    struct segment_index *index = new_index(INDEX_SIZE);
    add(index, 0, 4096, 200);
    add(index, 0, 4296, 104);
    add(index, 0, 4400 + SEGMENT_INDEX_GAP_MAX, 8);
    add(index, 0, 4408 + 2 * SEGMENT_INDEX_GAP_MAX + 8, 16);
    expect_extent(index, 0, 0, 4096, 312 + SEGMENT_INDEX_GAP_MAX);
    expect_extent(index, 1, 30, 4416 + 2 * SEGMENT_INDEX_GAP_MAX, 16);
    index = segment_index_free(index);
}

TEST(extent_of_several_batches_is_no_longer_than_its_stretch)
{
    struct segment_index *index = new_index(INDEX_SIZE);
    add(index, 0, 8, 40 * KIB);
    add(index, 0, 8 + 40 * KIB, 24 * KIB);
    add(index, 0, 8 + 64 * KIB, 8);
    add(index, 0, 16 + 64 * KIB, 1024 * KIB); /* larger than a stretch: alone */
    add(index, 0, 16 + 1088 * KIB, 8);
    expect_extent(index, 0, 0, 8, 64 * KIB);
    expect_extent(index, 1, 20, 8 + 64 * KIB, 8);
    expect_extent(index, 2, 30, 16 + 64 * KIB, 1024 * KIB);
    expect_extent(index, 3, 40, 16 + 1088 * KIB, 8);
    index = segment_index_free(index);
}

TEST(summary_tells_offsets_bytes_and_times_even_when_the_clock_falls)
{
    struct segment_index *index = new_index(INDEX_SIZE);
    struct index_summary summary;
    struct index_batch batch = {
        .slot = 3, .records = 7, .base_offset = 100, .position = 8, .len = 64, .wall_ns = 50};
    expect_fine(segment_index_add_batch(index, &batch));
    batch = (struct index_batch){
        .slot = 3, .records = 1, .base_offset = 120, .position = 72, .len = 8, .wall_ns = 40};
    expect_fine(segment_index_add_batch(index, &batch));
    expect(segment_index_summary(index, 3, &summary));
    expect_equal_u64(summary.first_offset, 100);
    expect_equal_u64(summary.end_offset, 121);
    expect_equal_u64(summary.bytes, 72);
    expect_equal_i64(summary.first_ns, 50);
    expect_equal_i64(summary.last_ns, 50);
    expect(!segment_index_summary(index, 2, &summary));
    index = segment_index_free(index);
}

TEST(offsets_that_fall_are_refused)
{
    struct segment_index *index = new_index(INDEX_SIZE);
    add(index, 0, 8, 8);
    struct index_batch batch = {.records = 1, .base_offset = 9, .position = 16, .len = 8};
    expect_err(segment_index_add_batch(index, &batch), ERR_BAD_INPUT);
    index = segment_index_free(index);
}

TEST(far_slots_cost_little_and_unused_ones_are_empty)
{
    struct segment_index *index = new_index(INDEX_SIZE);
    uint32_t count;
    struct index_extent extent;
    expect_equal_u64(segment_index_extents_from(index, UINT32_MAX, 0, &extent, 1), 0);
    size_t before = segment_index_bytes(index);
    add(index, 1000000, 8, 8);
    expect(segment_index_bytes(index) - before < 300000);
    expect_null(segment_index_extents(index, 999999, &count));
    expect_equal_u64(count, 0);
    expect(!segment_index_extent_at_time(index, 999999, 0, &extent));
    index = segment_index_free(index);
}

TEST(index_is_full_at_its_maximum_and_refuses_beyond_the_overshoot)
{
    enum { SMALL = 64 * KIB };
    struct segment_index *index = new_index(SMALL);
    uint32_t position = 8;
    while (!segment_index_is_full(index)) {
        expect(position < 100000000);
        add(index, 0, position, 8);
        position += 2 * SEGMENT_INDEX_GAP_MAX;
    }
    expect(segment_index_bytes(index) < 2 * SMALL);
    add(index, 1, position, 8);
    uint8_t hash[SEGMENT_INDEX_HASH_SIZE] = {0};
    enum err err;
    while ((err = segment_index_add_identity(index, hash, 0)) == ERR_NONE)
        expect(segment_index_identity_count(index) < 100000);
    expect_err(err, ERR_TOO_MANY);
    expect(segment_index_bytes(index) <= SMALL * SEGMENT_INDEX_OVERSHOOT);
    index = segment_index_free(index);
}

TEST(runs_are_kept_by_sequence)
{
    struct segment_index *index = new_index(INDEX_SIZE);
    struct store_run runs[] = {{10, 5}, {1, 3}};
    size_t before = segment_index_bytes(index);
    expect_fine(segment_index_add_runs(index, 63, runs, 2, 8));
    expect(segment_index_bytes(index) > before);
    expect_null(segment_index_runs(index, 0));
    expect_null(segment_index_runs(index, 64));
    expect_equal_u64(run_set_lowest(segment_index_runs(index, 63)), 1);
    expect_equal_u64(run_set_highest(segment_index_runs(index, 63)), 14);
    expect_err(segment_index_add_runs(index, 64, runs, 2, 8), ERR_BAD_INPUT);
    index = segment_index_free(index);
}

TEST(identities_keep_their_order)
{
    struct segment_index *index = new_index(INDEX_SIZE);
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t hash[SEGMENT_INDEX_HASH_SIZE] = {(uint8_t)i, (uint8_t)(i >> 8)};
        expect_fine(segment_index_add_identity(index, hash, i));
    }
    expect_equal_u64(segment_index_identity_count(index), 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        expect_equal_i64(segment_index_identity(index, i)->wall_ns, i);
        expect_equal_u64(segment_index_identity(index, i)->hash[1], i >> 8);
    }
    index = segment_index_free(index);
}

/* --- The model ---------------------------------------------------------------------------------- */

enum { SLOTS = 5, BATCHES = 3000, PROBES = 500 };

struct model {
    struct random random;
    struct segment_index *index;
    struct index_batch batches[BATCHES];
    uint64_t next[SLOTS];
    int64_t wall_ns;
};

static void fill_model(struct model *model)
{
    struct random *random = &model->random;
    uint32_t position = 4096;
    for (uint32_t i = 0; i < BATCHES; i++) {
        uint32_t slot = (uint32_t)random_below(random, SLOTS);
        uint32_t len = 8 * (1 + (uint32_t)random_below(random, random_below(random, 30) == 0 ? 20000 : 200));
        model->wall_ns += (int64_t)random_below(random, 100) - (random_below(random, 50) == 0 ? 3000 : 0);
        model->next[slot] += random_below(random, 40) == 0 ? 5 : 0; /* what damage left out */
        struct index_batch batch = {.slot = slot,
                                    .records = 1 + (uint32_t)random_below(random, 20),
                                    .base_offset = model->next[slot],
                                    .position = position,
                                    .len = len,
                                    .wall_ns = model->wall_ns};
        expect_fine(segment_index_add_batch(model->index, &batch));
        model->batches[i] = batch;
        model->next[slot] += batch.records;
        position += len + (random_below(random, 10) == 0 ? 8 * (uint32_t)random_below(random, 1000) : 0);
    }
}

static bool extent_holds(const struct index_extent *extent, const struct index_batch *batch)
{
    return batch->position >= extent->position &&
           batch->position + batch->len <= extent->position + extent->len;
}

/* The first batch of the slot that ends above the offset lies in the first extent, or begins the second. */
static void compare_offset(const struct model *model, uint32_t slot, uint64_t offset)
{
    const struct index_batch *expected = NULL;
    for (uint32_t i = 0; i < BATCHES && expected == NULL; i++) {
        const struct index_batch *batch = &model->batches[i];
        if (batch->slot == slot && batch->base_offset + batch->records > offset)
            expected = batch;
    }
    struct index_extent extents[2];
    uint32_t count = segment_index_extents_from(model->index, slot, offset, extents, 2);
    expect((count == 0) == (expected == NULL));
    if (expected == NULL)
        return;
    bool is_second = count == 2 && extents[1].position == expected->position;
    expect(extent_holds(&extents[0], expected) || is_second);
    if (expected->base_offset <= offset)
        expect(!is_second);
}

static void compare_time(const struct model *model, uint32_t slot, int64_t wall_ns)
{
    const struct index_batch *expected = NULL;
    for (uint32_t i = 0; i < BATCHES && expected == NULL; i++)
        if (model->batches[i].slot == slot && model->batches[i].wall_ns >= wall_ns)
            expected = &model->batches[i];
    struct index_extent extent;
    bool is_found = segment_index_extent_at_time(model->index, slot, wall_ns, &extent);
    expect(is_found == (expected != NULL));
    if (expected == NULL)
        return;
    struct index_extent extents[2];
    uint32_t count = segment_index_extents_from(model->index, slot, extent.base_offset, extents, 2);
    expect(extent_holds(&extents[0], expected) || (count == 2 && extents[1].position == expected->position));
}

static void compare_extents(const struct model *model)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint32_t count;
        const struct index_extent *extents = segment_index_extents(model->index, slot, &count);
        uint32_t at = 0;
        uint32_t held = 0;
        for (uint32_t i = 0; i < BATCHES; i++) {
            if (model->batches[i].slot != slot)
                continue;
            if (!extent_holds(&extents[at], &model->batches[i])) {
                at++;
                held = 0;
            }
            expect(at < count);
            expect(extent_holds(&extents[at], &model->batches[i]));
            held++;
            expect(held == 1 || extents[at].len <= SEGMENT_INDEX_STRETCH);
        }
        expect_equal_u64(at + 1, count);
    }
}

TEST(index_answers_like_a_list_of_all_batches)
{
    uint64_t first = random_u64(NULL) % 1000000;
    for (uint64_t seed = first; seed < first + 8; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        struct model *model = calloc(1, sizeof *model);
        random_seed(&model->random, seed);
        model->index = new_index(INDEX_SIZE);
        fill_model(model);
        compare_extents(model);
        for (uint32_t i = 0; i < PROBES; i++) {
            uint32_t slot = (uint32_t)random_below(&model->random, SLOTS);
            compare_offset(model, slot, random_below(&model->random, model->next[slot] + 10));
            compare_time(model, slot,
                         (int64_t)random_below(&model->random, (uint64_t)llabs(model->wall_ns) + 1000) - 500);
        }
        model->index = segment_index_free(model->index);
        free(model);
    }
}

TEST_MAIN(batches_with_small_gaps_make_one_extent,
          extent_of_several_batches_is_no_longer_than_its_stretch,
          summary_tells_offsets_bytes_and_times_even_when_the_clock_falls,
          offsets_that_fall_are_refused,
          far_slots_cost_little_and_unused_ones_are_empty,
          index_is_full_at_its_maximum_and_refuses_beyond_the_overshoot,
          runs_are_kept_by_sequence,
          identities_keep_their_order,
          index_answers_like_a_list_of_all_batches)
