/* A few mixed bits for each question. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/journal_shape.h"

#include <stdio.h>

enum { NUMBERS_PER_APPEND = 4 };

const uint32_t journal_shape_partitions[JOURNAL_MODEL_TOPICS] = {1, 3, 2, 1};

uint32_t journal_shape_mix(uint32_t shape, uint32_t salt)
{
    uint64_t mixed = (shape + 1) * UINT64_C(0x9e3779b97f4a7c15) + salt * UINT64_C(0xbf58476d1ce4e5b9);
    mixed ^= mixed >> 29;
    mixed *= UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(mixed >> 33);
}

uint32_t journal_shape_part_count(uint32_t shape)
{
    return 1 + journal_shape_mix(shape, 1) % JOURNAL_MODEL_PARTS_MAX;
}

/* Later topics appear later, so that they are created in the middle of a run. */
uint32_t journal_shape_topic(uint32_t shape, uint32_t part)
{
    uint32_t topics = shape < 20 ? 1 : shape < 60 ? 2 : JOURNAL_MODEL_TOPICS;
    return journal_shape_mix(shape, 10 + part) % topics;
}

uint32_t journal_shape_partition(uint32_t shape, uint32_t part)
{
    return journal_shape_mix(shape, 20 + part) % journal_shape_partitions[journal_shape_topic(shape, part)];
}

uint32_t journal_shape_records(uint32_t shape, uint32_t part)
{
    return 1 + journal_shape_mix(shape, 30 + part) % 3;
}

uint32_t journal_shape_value_len(uint32_t shape, uint32_t part)
{
    bool is_large = journal_shape_mix(shape, 41) % 4 == 0;
    return journal_shape_mix(shape, 40 + part) % (is_large ? JOURNAL_SHAPE_VALUE_MAX : 120);
}

uint32_t journal_shape_sequence(uint32_t shape)
{
    return journal_shape_mix(shape, 50) % JOURNAL_MODEL_SEQUENCES;
}

struct store_run journal_shape_run(uint32_t shape)
{
    return (struct store_run){1 + (uint64_t)shape * NUMBERS_PER_APPEND,
                              1 + journal_shape_mix(shape, 60) % NUMBERS_PER_APPEND};
}

void journal_shape_topic_name(char name[16], uint32_t topic)
{
    (void)snprintf(name, 16, "topic-%u", topic);
}
