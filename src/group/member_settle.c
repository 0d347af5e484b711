/* What a member says of its open records: done, again, or claimed for more than a word. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "group/group_unit.h"

/* --- Which records are meant -------------------------------------------------------------------------- */

/* Some records of one run that are spoken of. The run may be gone after the first of them is taken. */
struct match {
    struct group_run *run;
    struct group_stream *stream;
    uint64_t block;
    uint64_t mask;
    uint16_t attempts;
};

static struct match match_of(struct group_run *run, uint64_t mask)
{
    return (struct match){run, run->stream, run->block, run->mask & mask, run->attempts};
}

/* Those with a number in [from, to]; see group_run_seq. */
static uint64_t mask_of_numbers(const struct group_run *run, uint64_t from, uint64_t to)
{
    uint64_t first =
        run->seq - GROUP_RUN_SEQ_BIAS; /* may be below zero: then it is huge, and only differences count */
    uint64_t mask = UINT64_MAX;
    if ((int64_t)(from - first) > 0)
        mask &= from - first < GROUP_BLOCK_SIZE ? UINT64_MAX << (from - first) : 0;
    if (to - first < GROUP_BLOCK_SIZE - 1)
        mask &= ~(UINT64_MAX << (to - first + 1));
    return mask;
}

static struct group_run *find_at(struct group_member *member, const struct store_position *position)
{
    const struct group_unit *unit = member->unit;
    struct group_stream *stream = group_unit_find_stream(unit, position);
    struct group_run *run =
        stream == NULL ? NULL : group_partition_find_run(stream->partition, member, position->offset);
    if (run != NULL || position->topic != unit->topic)
        return run;
    /* <partition>:<offset> of a replayed record is spoken of with the topic that the member knows. */
    LIST_EACH (&unit->streams, link) {
        stream = LIST_OWNER(link, struct group_stream, unit_link);
        if (stream->source == NULL || stream->partition->key.partition != position->partition)
            continue;
        run = group_partition_find_run(stream->partition, member, position->offset);
        if (run != NULL)
            return run;
    }
    return NULL;
}

/* Walks the matches, each once, though they vanish one after the other: start with {from + 1, 0}. */
static bool next_match(struct group_member *member,
                       const struct group_select *select,
                       struct seq_key *key,
                       struct match *ret_match)
{
    if (select->from == 0) {
        struct group_run *run = find_at(member, &select->position);
        if (run == NULL)
            return false;
        *ret_match = match_of(run, group_bit(select->position.offset));
        return true;
    }
    uint64_t to = select->to < INT64_MAX ? select->to : INT64_MAX;
    for (struct group_run *run; (run = seq_index_next(&member->seqs, key)) != NULL;) {
        if (run->seq > to + GROUP_RUN_SEQ_BIAS)
            return false;
        *ret_match = match_of(run, mask_of_numbers(run, select->from, to));
        if (ret_match->mask != 0)
            return true;
    }
    return false;
}

static struct seq_key first_key(const struct group_select *select)
{
    return (struct seq_key){select->from + 1, 0};
}

/* They leave the member's hands, and are open for nobody yet. */
static void take_out(struct group_member *member, const struct match *match)
{
    member->open -= (uint32_t)__builtin_popcountll(match->mask);
    group_partition_take(match->run, match->mask, &member->seqs);
}

/* --- Done --------------------------------------------------------------------------------------------- */

static void add_outcomes(struct group_member *member, const struct match *match, uint32_t status)
{
    struct outcome_run run = {
        .partition = match->stream->partition,
        .status = status,
        .by = member->by,
        .attempts = match->attempts,
    };
    for (uint64_t rest = match->mask; rest != 0;) {
        unsigned first = (unsigned)__builtin_ctzll(rest);
        uint64_t above = ~rest & (UINT64_MAX << first); /* what is not in it, from `first` on */
        unsigned end = above == 0 ? GROUP_BLOCK_SIZE : (unsigned)__builtin_ctzll(above);
        run.offset = match->block * GROUP_BLOCK_SIZE + first;
        run.count = end - first;
        outcome_queue_add(member->unit->group->groups->outcomes, &run);
        rest &= end == GROUP_BLOCK_SIZE ? 0 : UINT64_MAX << end;
    }
}

uint64_t group_member_done(struct group_member *member, const struct group_select *select, uint32_t status)
{
    struct outcome_queue *outcomes = member->unit->group->groups->outcomes;
    struct seq_key key = first_key(select);
    struct match match;
    uint64_t count = 0;
    group_member_renew(member);
    while (next_match(member, select, &key, &match)) {
        if (outcome_queue_reserve(outcomes, GROUP_BLOCK_SIZE) != ERR_NONE)
            break; /* the rest stays open */
        take_out(member, &match);
        add_outcomes(member, &match, status);
        group_partition_close(match.stream->partition, match.block, match.mask, true, &member->unit->lanes);
        unsigned settled = (unsigned)__builtin_popcountll(match.mask);
        if (match.stream->source != NULL)
            match.stream->source->settled += settled;
        count += settled;
        if (select->from == 0)
            break;
    }
    if (count > 0)
        group_member_wake(member);
    return count;
}

/* --- Again -------------------------------------------------------------------------------------------- */

static void go_back(struct group_member *member, const struct group_stream *stream, uint64_t offset)
{
    LIST_EACH (&stream->cursors, link) {
        struct group_cursor *cursor = LIST_OWNER(link, struct group_cursor, stream_link);
        if (cursor->member == member)
            group_cursor_go_back(cursor, offset);
    }
}

/* The lanes are still the member's, or will look from the low-water mark on at another's. */
static void give_back(struct group_member *member, const struct match *match, int64_t due_ns)
{
    uint64_t first = match->block * GROUP_BLOCK_SIZE + (unsigned)__builtin_ctzll(match->mask);
    group_partition_return(match->stream, match->block, match->mask, match->attempts, due_ns);
    group_partition_close(match->stream->partition, match->block, match->mask, false, &member->unit->lanes);
    go_back(member, match->stream, first);
}

uint64_t group_member_retry(struct group_member *member, const struct group_select *select, int64_t delay_ns)
{
    struct group_core *core = group_member_core(member);
    int64_t due_ns = delay_ns > 0 ? group_core_now_ns(core) + delay_ns : 0;
    struct seq_key key = first_key(select);
    struct match match;
    uint64_t count = 0;
    group_member_renew(member);
    while (next_match(member, select, &key, &match)) {
        take_out(member, &match);
        give_back(member, &match, due_ns);
        count += (unsigned)__builtin_popcountll(match.mask);
        if (select->from == 0)
            break;
    }
    if (count > 0) {
        group_core_want_work(core);
        group_member_wake(member);
    }
    return count;
}

/* --- Claims ------------------------------------------------------------------------------------------- */

static struct group_claim *new_claim(struct group_member *member, const struct match *match)
{
    struct group_claim *claim = malloc(sizeof *claim);
    if (claim == NULL)
        return NULL;
    *claim = (struct group_claim){
        .stream = match->stream,
        .by = group_by_ref(member->by),
        .offset = match->block * GROUP_BLOCK_SIZE + (unsigned)__builtin_ctzll(match->mask),
        .attempts = match->attempts,
    };
    match->stream->runs++;
    member->unit->claims++;
    group_member_core(member)->held++;
    return claim;
}

uint32_t group_member_claim(struct group_member *member,
                            const struct group_select *select,
                            struct group_claim **claims,
                            uint32_t size)
{
    struct seq_key key = first_key(select);
    struct match match;
    uint32_t count = 0;
    group_member_renew(member);
    while (count < size && next_match(member, select, &key, &match)) {
        for (uint64_t rest = match.mask; rest != 0 && count < size; rest &= rest - 1) {
            match.mask = rest & -rest;
            claims[count] = new_claim(member, &match);
            if (claims[count] == NULL)
                return count;
            take_out(member, &match);
            count++;
        }
        if (select->from == 0)
            break;
    }
    if (count > 0)
        group_member_wake(member);
    return count;
}

struct store_position group_claim_position(const struct group_claim *claim)
{
    const struct group_partition_key *key = &claim->stream->partition->key;
    return (struct store_position){key->topic, key->partition, claim->offset};
}

uint16_t group_claim_attempts(const struct group_claim *claim)
{
    return claim->attempts;
}

struct store_settled group_claim_settled(const struct group_claim *claim, enum store_outcome outcome)
{
    const struct group_partition_key *key = &claim->stream->partition->key;
    return (struct store_settled){
        .group = key->group,
        .topic = key->topic,
        .partition = key->partition,
        .offset = claim->offset,
        .count = 1,
        .outcome = outcome,
        .attempts = claim->attempts,
        .by = group_by_text(claim->by),
    };
}

/* The record is open again, for whoever has its lane now. */
static void give_claim_back(const struct group_claim *claim)
{
    struct group_stream *stream = claim->stream;
    group_partition_return(stream, claim->offset >> GROUP_BLOCK_BITS, group_bit(claim->offset),
                           claim->attempts, 0);
    group_stream_go_back(stream, claim->offset);
    group_unit_wake(stream->unit);
}

struct group_claim *group_claim_end(struct group_claim *claim, enum err err)
{
    struct group_stream *stream = claim->stream;
    struct group_partition *partition = stream->partition;
    struct group_unit *unit = stream->unit;
    struct group_core *core = group_unit_core(unit);
    if (err != ERR_NONE)
        give_claim_back(claim);
    else if (stream->source != NULL)
        stream->source->settled++;
    group_partition_close(partition, claim->offset >> GROUP_BLOCK_BITS, group_bit(claim->offset),
                          err == ERR_NONE, &unit->lanes);
    if (err == ERR_NONE && group_partition_look_at_progress(partition))
        core->has_changed = true;
    stream->runs--;
    unit->claims--;
    core->held--;
    core->has_idle = true;
    group_core_want_work(core);
    group_by_unref(claim->by);
    free(claim);
    return NULL;
}
