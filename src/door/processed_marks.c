/* What the lines of a processed log speak of. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/processed_marks.h"

#include "base/log.h"
#include "base/metric.h"
#include "door/processed_line.h"

enum { PLACES_MAX = 256 }; /* of one number */

static const int64_t patience_ns = 5 * CLOCK_NS_PER_S;

bool processed_marks_have_room(const struct processed_marks *marks)
{
    return processed_runs_have_room(&marks->runs, PLACES_MAX);
}

/* --- Records ------------------------------------------------------------------------------------ */

static bool add_position(struct processed_marks *marks, struct store_position position)
{
    struct store *store = marks->store;
    struct store_extent extent;
    if (store->ops->extent(store, position.topic, position.partition, &extent) != ERR_NONE ||
        position.offset >= extent.end)
        return false;
    if (position.offset >= extent.start)
        processed_runs_add(&marks->runs, position);
    return true;
}

static bool add_number(struct processed_marks *marks, uint64_t number)
{
    struct store_place places[PLACES_MAX];
    uint32_t count = 0;
    bool has_unplaced = false;
    enum err err =
        marks->store->outcomes->places(marks->store, (struct store_number){marks->sequence, number}, places,
                                       PLACES_MAX, &count, &has_unplaced);
    if (err != ERR_NONE && err != ERR_TOO_MANY)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!places[i].is_expired)
            processed_runs_add(&marks->runs, places[i].position);
    return count > 0;
}

/* False: there is no such message, or not yet. */
static bool add(struct processed_marks *marks, const struct processed_mark *mark)
{
    return mark->number == 0 ? add_position(marks, mark->position) : add_number(marks, mark->number);
}

/* --- Waiting ------------------------------------------------------------------------------------ */

static void tell(const struct processed_marks *marks, enum metric metric, const char *message)
{
    metric_add(metric, 1);
    log_line(LOG_WARN, "door", message, "path=%s",
             log_value(&(struct log_value){0}, span_from_text(marks->path)));
}

static void give_up(const struct processed_marks *marks)
{
    tell(marks, METRIC_PROCESSED_LOG_UNKNOWN, "processed log names a message that is not stored");
}

static void wait_for(struct processed_marks *marks, const struct waiting_line *line)
{
    enum { HALF = PROCESSED_WAITING_MAX / 2 };
    if (marks->waiting_count == PROCESSED_WAITING_MAX) { /* patience has its limit */
        for (uint32_t i = 0; i < HALF; i++)
            give_up(marks);
        marks->waiting_count -= HALF;
        memmove(marks->waiting, marks->waiting + HALF, marks->waiting_count * sizeof marks->waiting[0]);
    }
    marks->waiting[marks->waiting_count++] = *line;
}

void processed_marks_ask_again(struct processed_marks *marks, int64_t now_ns)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < marks->waiting_count; i++) {
        const struct waiting_line *waiting = &marks->waiting[i];
        bool has_room = processed_marks_have_room(marks);
        bool is_there = has_room && add(marks, &waiting->mark);
        bool is_over = has_room && !is_there && now_ns >= waiting->due_ns;
        if (is_over)
            give_up(marks);
        if (!is_there && !is_over)
            marks->waiting[kept++] = *waiting;
    }
    marks->waiting_count = kept;
}

uint64_t processed_marks_first_waiting(const struct processed_marks *marks, uint64_t inode, uint64_t offset)
{
    for (uint32_t i = 0; i < marks->waiting_count; i++)
        if (marks->waiting[i].inode == inode && marks->waiting[i].offset < offset)
            offset = marks->waiting[i].offset;
    return offset;
}

/* --- Lines -------------------------------------------------------------------------------------- */

/* False: it cannot be meant. */
static bool
find_topic(const struct processed_marks *marks, const struct line_place *place, uint32_t *ret_topic)
{
    struct store *store = marks->store;
    struct span name = place->topic.len > 0 ? place->topic : marks->topic;
    struct store_topic topic;
    if (name.len == 0 || store->ops->topic_open(store, name, 0, false, &topic) != ERR_NONE)
        return false;
    *ret_topic = topic.id;
    return place->partition < topic.partitions;
}

void processed_marks_take(
    struct processed_marks *marks, struct span line, uint64_t inode, uint64_t offset, int64_t now_ns)
{
    struct processed_line parsed = processed_line_parse(line);
    struct waiting_line waiting = {
        .mark = {.number = parsed.number,
                 .position = {.partition = parsed.place.partition, .offset = parsed.place.offset}},
        .inode = inode,
        .offset = offset,
        .due_ns = now_ns + patience_ns,
    };
    if (parsed.kind == PROCESSED_LINE_EMPTY)
        return;
    metric_add(METRIC_PROCESSED_LOG_LINES, 1);
    if (parsed.kind == PROCESSED_LINE_BAD)
        tell(marks, METRIC_PROCESSED_LOG_REFUSED, "line of processed log begins with no number");
    else if (parsed.kind == PROCESSED_LINE_PLACE &&
             !find_topic(marks, &parsed.place, &waiting.mark.position.topic))
        give_up(marks);
    else if (!add(marks, &waiting.mark))
        wait_for(marks, &waiting);
}
