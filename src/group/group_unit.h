/* The members of a group that share a topic: their streams, and lanes that move between them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GROUP_GROUP_UNIT_H
#define GROUP_GROUP_UNIT_H

#include "group/live_group.h"

/* Found, or made with all its streams. UNKNOWN_TOPIC, BAD_INPUT (partition), MEMORY. */
enum err group_unit_open(struct group *group, uint32_t topic, int64_t partition, struct group_unit **ret_unit)
    MUST_CHECK;
/* No member, no source, no claim is left. Returns NULL. */
struct group_unit *group_unit_free(struct group_unit *unit);
/* Nothing needs it; what came back counts when `all`. */
bool group_unit_is_idle(const struct group_unit *unit, bool all);

/* Where the group has not begun it will begin as the member says. */
void group_unit_begin(struct group_unit *unit, const struct group_member_settings *settings);

/* One more stream, all of the partition, for the outcomes of a group. MEMORY, or the store's error. */
enum err group_unit_add_stream(struct group_unit *unit,
                               uint32_t group,
                               struct span group_name,
                               uint32_t topic,
                               uint32_t partition,
                               struct group_stream **ret_stream) MUST_CHECK;
/* Nothing more is given from it. It stays until nothing of it is open. */
void group_unit_remove_stream(struct group_stream *stream);
/* Frees streams that have become empty since. */
void group_unit_sweep(struct group_unit *unit);

/* The member has its cursors and its part of the lanes, or nothing. TOO_MANY, MEMORY. */
enum err group_unit_add_member(struct group_unit *unit, struct group_member *member) MUST_CHECK;
/* Its open records went back before. */
void group_unit_remove_member(struct group_member *member);
/* Lanes that may move move; those who get them look from the low-water mark on. */
void group_unit_hand_over(struct group_unit *unit);
/* Asks the store how far the log is, wakes those who wait for that. */
void group_unit_look(struct group_unit *unit);

/* A member came, went, or has another window. */
void group_unit_note_windows(struct group_unit *unit);
/* The stream of a partition of the topic, or the source with this position; NULL. `topic` may be the unit's for sources too. */
struct group_stream *group_unit_find_stream(const struct group_unit *unit,
                                            const struct store_position *position);

/* [from, to) will not be given: what is neither settled nor open there is settled so. MEMORY. */
enum err group_unit_pass_over(struct group_unit *unit,
                              struct group_partition *partition,
                              uint64_t from,
                              uint64_t to,
                              enum store_outcome outcome,
                              struct span by) MUST_CHECK;

/* All open records of the member go back; how many. */
uint64_t group_unit_take_all_back(struct group_member *member);

/* It waits, and something may be there for it: on_ready will come. */
void group_member_wake(struct group_member *member);
void group_unit_wake(struct group_unit *unit);
/* It has an event to be told. */
void group_member_call(struct group_member *member);

#endif
