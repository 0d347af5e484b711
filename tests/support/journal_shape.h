/* What an append of the journal's model is made of: its shape, one number, decides it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_JOURNAL_SHAPE_H
#define SUPPORT_JOURNAL_SHAPE_H

#include "support/journal_model.h"

enum { JOURNAL_SHAPE_VALUE_MAX = 1600 };

extern const uint32_t journal_shape_partitions[JOURNAL_MODEL_TOPICS]; /* of each topic */

/* A number that follows from the shape and from what it is for. */
uint32_t journal_shape_mix(uint32_t shape, uint32_t salt);
uint32_t journal_shape_part_count(uint32_t shape);
uint32_t journal_shape_topic(uint32_t shape, uint32_t part);
uint32_t journal_shape_partition(uint32_t shape, uint32_t part);
uint32_t journal_shape_records(uint32_t shape, uint32_t part);
uint32_t journal_shape_value_len(uint32_t shape, uint32_t part);
uint32_t journal_shape_sequence(uint32_t shape);
struct store_run journal_shape_run(uint32_t shape);
void journal_shape_topic_name(char name[16], uint32_t topic);

#endif
