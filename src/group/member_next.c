/* Gives a member its next record. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/metric.h"
#include "group/group_unit.h"
#include "wire/line_number.h"

/*
 * group_member_next, again and again until a record is given:
 *
 *   records left of the last read -> offer each: not taken yet, in a lane of the member, its key does not wait
 *   else choose the next stream, round about, in which there may be more, and read it
 *   nothing anywhere -> AGAIN; whatever may change that wakes the member
 *
 * Retention passed the place: what was open for the group there is EXPIRED, all members are told. Damage: SKIPPED.
 */
enum {
    READS_MAX = 4, /* in one call, when all that was read goes to others */
    READ_AGAIN_NS = 100 * CLOCK_NS_PER_MS,
};

static enum err wait_for_more(struct group_member *member)
{
    member->wants = true;
    return ERR_AGAIN;
}

static enum err wait_for_room(struct group_member *member)
{
    struct group_core *core = group_member_core(member);
    core->is_starved = true;
    group_core_want_work(core);
    return wait_for_more(member);
}

/* --- Where there may be more -------------------------------------------------------------------------- */

/* Offsets from here on are not given now. */
static uint64_t limit_of(const struct group_stream *stream, uint64_t span)
{
    const struct group_partition *partition = stream->partition;
    uint64_t span_end = stream->source != NULL ? UINT64_MAX : partition->low + span;
    uint64_t end = stream->to < partition->end ? stream->to : partition->end;
    return end < span_end ? end : span_end;
}

static bool has_more(struct group_cursor *cursor, uint64_t span)
{
    struct group_stream *stream = cursor->stream;
    struct group_partition *partition = stream->partition;
    if (partition->phase != PARTITION_OPEN || stream->is_removed)
        return false;
    if (stream->source != NULL && stream->source->credit == 0)
        return false;
    if (cursor->next >= partition->end)
        return false;
    uint64_t free = group_partition_first_free(partition, cursor->next);
    cursor->next = free > stream->from ? free : stream->from;
    uint64_t limit = limit_of(stream, span);
    partition->is_span_full |= cursor->next >= limit && limit < stream->to && limit < partition->end;
    return cursor->next < limit;
}

static struct group_cursor *choose(struct group_member *member)
{
    uint64_t span = member->unit->span;
    LIST_EACH (&member->cursors, link) {
        struct group_cursor *cursor = LIST_OWNER(link, struct group_cursor, member_link);
        if (!has_more(cursor, span))
            continue;
        list_remove(link);
        list_insert_last(&member->cursors, link);
        return cursor;
    }
    return NULL;
}

/* --- Reading ------------------------------------------------------------------------------------------ */

static void tell_gap(struct group_unit *unit, struct store_position from, uint64_t to)
{
    metric_add(METRIC_GAPS, 1);
    LIST_EACH (&unit->members, link) {
        struct group_member *member = LIST_OWNER(link, struct group_member, link);
        struct group_gap *gap = malloc(sizeof *gap);
        if (gap == NULL)
            continue; /* it is settled all the same */
        *gap = (struct group_gap){.from = from, .to = to};
        list_insert_last(&member->gaps, &gap->link);
        group_member_call(member);
    }
}

/* The cursor may have moved since the read of `offset` began. */
static enum err pass_expired(struct group_unit *unit, struct group_cursor *cursor, uint64_t offset)
{
    struct group_partition *partition = cursor->stream->partition;
    struct store *store = partition->core->store;
    struct store_position from = {partition->key.topic, partition->key.partition, cursor->next};
    struct store_extent extent;
    enum err err = store->ops->extent(store, partition->key.topic, partition->key.partition, &extent);
    if (err != ERR_NONE)
        return err;
    if (extent.start <= offset)
        return ERR_IO; /* the store contradicts itself */
    if (extent.start <= cursor->next)
        return ERR_NONE;
    uint64_t low = cursor->stream->source != NULL ? cursor->next : partition->low;
    err = group_unit_pass_over(unit, partition, low, extent.start, STORE_OUTCOME_EXPIRED, span_of(NULL, 0));
    if (err != ERR_NONE)
        return err;
    cursor->next = extent.start;
    tell_gap(unit, from, extent.start);
    return ERR_NONE;
}

static enum err pass_damaged(struct group_unit *unit, struct group_cursor *cursor, uint64_t from, uint64_t to)
{
    struct group_partition *partition = cursor->stream->partition;
    to = to > from ? to : from + 1;
    enum err err =
        group_unit_pass_over(unit, partition, from, to, STORE_OUTCOME_SKIPPED, span_from_text("damage"));
    if (err != ERR_NONE)
        return err;
    cursor->next = to > cursor->next ? to : cursor->next;
    return ERR_DAMAGED;
}

/* Damage is behind the member now; for all else it waits a while before it tries again. */
static enum err fail(struct group_member *member,
                     const struct group_cursor *cursor,
                     uint64_t at,
                     enum err err,
                     struct group_item *item)
{
    const struct group_partition_key *key = &cursor->stream->partition->key;
    item->position = (struct store_position){key->topic, key->partition, at};
    if (err == ERR_DAMAGED)
        return err;
    member->read_after_ns = group_core_now_ns(group_member_core(member)) + READ_AGAIN_NS;
    group_core_want_work_at(group_member_core(member), member->read_after_ns);
    return err;
}

/* What a read has come to. AGAIN: go on. */
static enum err
judge(struct group_member *member, struct group_cursor *cursor, enum err err, struct group_item *item)
{
    const struct store_read *read = &member->reader->read;
    if (err == ERR_EXPIRED)
        err = pass_expired(member->unit, cursor, read->offset);
    else if (err == ERR_DAMAGED)
        err = pass_damaged(member->unit, cursor, read->offset, read->ret_next_offset);
    return err == ERR_NONE || err == ERR_AGAIN ? ERR_AGAIN : fail(member, cursor, read->offset, err, item);
}

/* Nothing at the place, though the log said that there is something: it is asked again. */
static void note_end(struct group_reader *reader, struct group_cursor *cursor)
{
    if (reader->cursor == NULL || reader->read.ret_len > 0 ||
        reader->read.ret_next_offset > reader->read.offset)
        return;
    cursor->stream->partition->end = reader->read.offset;
    reader->core->has_grown = true;
    group_core_want_work(reader->core);
}

/* --- Offering ----------------------------------------------------------------------------------------- */

struct offer {
    struct group_cursor *cursor;
    const struct record *record;
    uint64_t hash;
};

static uint64_t hash_of(const struct group_partition *partition, const struct record *record)
{
    uint64_t place[2] = {partition->key.partition, record->offset};
    struct span key = record->key_is_null ? span_of(place, sizeof place) : record->key;
    return hash_bytes(key, partition->core->settings.seed);
}

static uint64_t seq_of(const struct record *record)
{
    uint64_t seq;
    for (uint32_t i = 0; i < record->header_count; i++)
        if (span_equal_text(record->headers[i].name, "seq"))
            return line_number_parse(record->headers[i].value, &seq) ? seq : 0;
    return 0;
}

/* NONE: its key is free. AGAIN: it waits, or an earlier record of its key does. MEMORY. */
static enum err check_key(const struct offer *offer)
{
    struct group_stream *stream = offer->cursor->stream;
    struct group_partition *partition = stream->partition;
    uint64_t offset = offer->record->offset;
    bool waits = partition->waiting > 0 && group_partition_waits(partition, offset);
    if (offer->record->key_is_null || (!waits && key_holds_are_empty(&stream->holds)))
        return waits ? ERR_AGAIN : ERR_NONE;
    uint64_t held = key_holds_find(&stream->holds, offer->hash);
    if (held < offset && group_partition_waits(partition, held))
        return ERR_AGAIN;
    if (waits)
        return key_holds_put(&stream->holds, offer->hash, offset) == ERR_NONE ? ERR_AGAIN : ERR_MEMORY;
    if (held <= offset)
        key_holds_remove(&stream->holds, offer->hash);
    return ERR_NONE;
}

static void note_given(struct group_member *member, const struct group_stream *stream, uint16_t attempts)
{
    if (member->open++ == 0 && member->lease_ns > 0) {
        member->renewed_ns = group_core_now_ns(group_member_core(member));
        group_core_want_work_at(group_member_core(member), member->renewed_ns + member->lease_ns);
    }
    if (stream->source == NULL)
        return;
    stream->source->credit--;
    stream->source->given += attempts == 1;
}

static enum err give(struct group_member *member, const struct offer *offer, struct group_item *item)
{
    struct group_stream *stream = offer->cursor->stream;
    struct group_partition *partition = stream->partition;
    struct partition_give give = {
        .member = member,
        .stream = stream,
        .seqs = &member->seqs,
        .runs = &member->runs,
        .seq = seq_of(offer->record),
        .lane = group_lane_of(offer->hash),
    };
    uint16_t attempts;
    enum err err = group_partition_give(partition, offer->record->offset, &give, &attempts);
    if (err != ERR_NONE)
        return err;
    member->unit->lanes.lanes[give.lane].open++;
    note_given(member, stream, attempts);
    *item = (struct group_item){
        .position = {partition->key.topic, partition->key.partition, offer->record->offset},
        .record = offer->record,
        .seq = give.seq,
        .attempts = attempts,
        .is_replayed = stream->source != NULL,
    };
    return ERR_NONE;
}

/* NONE: given. AGAIN: not for this member, or not now. BUSY: the source has no credit. MEMORY. */
static enum err offer_record(struct group_member *member, const struct offer *offer, struct group_item *item)
{
    const struct group_stream *stream = offer->cursor->stream;
    const struct group_source *source = stream->source;
    struct group_chunk *chunk = group_partition_chunk(stream->partition, offer->record->offset);
    if (chunk == NULL)
        return ERR_MEMORY;
    if (group_chunk_has(chunk, offer->record->offset) ||
        !group_lanes_give(&member->unit->lanes, group_lane_of(offer->hash), member))
        return ERR_AGAIN;
    enum err err = check_key(offer);
    if (err != ERR_NONE)
        return err;
    if (source != NULL && source->events.wants != NULL &&
        !source->events.wants(source->events.owner, offer->record))
        return ERR_AGAIN;
    if (source != NULL && source->credit == 0)
        return ERR_BUSY;
    return give(member, offer, item);
}

/* What was read is used up. */
static void finish_read(struct group_reader *reader)
{
    struct group_cursor *cursor = reader->cursor;
    if (cursor->next < reader->read.ret_next_offset)
        cursor->next = reader->read.ret_next_offset;
    reader->cursor = NULL;
}

static bool is_readable(const struct group_cursor *cursor)
{
    return cursor->stream->partition->phase == PARTITION_OPEN && !cursor->stream->is_removed;
}

/* NONE: given. AGAIN: what was read is used up, or (reader->cursor stays) may not be given now. DAMAGED, MEMORY. */
static enum err take(struct group_member *member, struct group_item *item)
{
    struct group_reader *reader = member->reader;
    struct offer offer = {.cursor = reader->cursor};
    check(offer.cursor != NULL);
    if (!is_readable(offer.cursor))
        reader->cursor = NULL;
    else if (offer.cursor->went_back)
        group_reader_restart(reader);
    uint64_t limit = limit_of(offer.cursor->stream, member->unit->span);
    while (reader->cursor != NULL) {
        uint64_t bad;
        uint64_t bad_to;
        enum decode decoded = group_reader_next(reader, offer.cursor->next, &offer.record, &bad, &bad_to);
        if (decoded == DECODE_BAD)
            return fail(member, offer.cursor, bad, pass_damaged(member->unit, offer.cursor, bad, bad_to),
                        item);
        if (decoded == DECODE_MORE) {
            finish_read(reader);
            return ERR_AGAIN;
        }
        enum err err = ERR_BUSY;
        if (offer.record->offset < limit) {
            offer.hash = hash_of(offer.cursor->stream->partition, offer.record);
            err = offer_record(member, &offer, item);
        }
        if (err != ERR_NONE && err != ERR_AGAIN) {
            group_reader_hold_back(reader);
            return err == ERR_BUSY ? ERR_AGAIN : fail(member, offer.cursor, offer.record->offset, err, item);
        }
        offer.cursor->next = offer.record->offset + 1;
        if (err == ERR_NONE)
            return err;
    }
    return ERR_AGAIN;
}

/* --- The next record ---------------------------------------------------------------------------------- */

/* AGAIN: records may be there now. */
static enum err read_more(struct group_member *member, struct group_cursor *cursor, struct group_item *item)
{
    enum err err = group_reader_start(member->reader, cursor);
    if (err == ERR_PENDING || err == ERR_BUSY)
        return err;
    note_end(member->reader, cursor);
    return judge(member, cursor, err, item);
}

/* The answer to a read that was PENDING. */
static enum err take_answer(struct group_member *member, struct group_item *item)
{
    struct group_reader *reader = member->reader;
    struct group_cursor *cursor = reader->cursor;
    if (cursor == NULL || reader->read.ret_err == ERR_NONE) {
        if (cursor != NULL)
            note_end(reader, cursor);
        return ERR_AGAIN;
    }
    return judge(member, cursor, group_reader_result(reader), item);
}

static bool may_take(const struct group_member *member)
{
    const struct group_core *core = &member->unit->group->groups->core;
    return !core->is_broken && !member->is_lapsed && member->open < member->window &&
           !member->reader->is_reading &&
           (member->read_after_ns == 0 || group_core_now_ns(core) >= member->read_after_ns);
}

enum err group_member_next(struct group_member *member, struct group_item *item)
{
    struct group_reader *reader = member->reader;
    if (!may_take(member))
        return wait_for_more(member);
    if (!group_core_has_room(group_member_core(member)))
        return wait_for_room(member);
    enum err err = take_answer(member, item);
    for (unsigned reads = 0; err == ERR_AGAIN; reads++) {
        if (reader->cursor != NULL)
            err = take(member, item);
        if (err != ERR_AGAIN)
            return err;
        struct group_cursor *cursor = choose(member);
        if (cursor == NULL && reader->cursor == NULL)
            group_reader_drop(reader);
        if (cursor == NULL)
            return wait_for_more(member);
        if (reads == READS_MAX) { /* others' turn */
            (void)wait_for_more(member);
            group_member_wake(member);
            return ERR_AGAIN;
        }
        err = read_more(member, cursor, item);
        if (err == ERR_BUSY)
            return wait_for_room(member);
        if (err == ERR_PENDING)
            return wait_for_more(member);
    }
    return err;
}
