/* What became of the records of one partition for one group: a sorted array of runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/memory_progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

void memory_progress_done(struct memory_progress *progress)
{
    free(progress->runs);
    *progress = (struct memory_progress){.count = 0};
}

/* The first run that ends above `offset`, or count. */
static uint32_t first_above(const struct memory_progress *progress, uint64_t offset)
{
    uint32_t low = 0;
    uint32_t high = progress->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (progress->runs[middle].to <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct memory_fates *memory_progress_find(const struct memory_progress *progress, uint64_t offset)
{
    uint32_t at = first_above(progress, offset);
    return at < progress->count && progress->runs[at].from <= offset ? &progress->runs[at] : NULL;
}

uint64_t memory_progress_end(const struct memory_progress *progress)
{
    uint64_t end = progress->count == 0 ? 0 : progress->runs[progress->count - 1].to;
    return end > progress->low ? end : progress->low;
}

void memory_progress_unsettled(const struct memory_progress *progress,
                               uint64_t from,
                               uint64_t *ret_from,
                               uint64_t *ret_to)
{
    if (from < progress->low)
        from = progress->low;
    uint32_t at = first_above(progress, from);
    for (; at < progress->count && progress->runs[at].from <= from; at++)
        from = progress->runs[at].to;
    *ret_from = from;
    *ret_to = at < progress->count ? progress->runs[at].from : UINT64_MAX;
}

/* Times are told within a second. */
static bool is_about(int64_t a_ns, int64_t b_ns)
{
    int64_t apart_ns = a_ns < b_ns ? b_ns - a_ns : a_ns - b_ns;
    return apart_ns < CLOCK_NS_PER_S;
}

/* Whether `next` goes on where `run` ends, with the same to say. */
static bool continues(const struct memory_fates *run, const struct memory_fates *next)
{
    const struct store_fate *a = &run->fate;
    const struct store_fate *b = &next->fate;
    return run->to == next->from && a->outcome == b->outcome && a->attempts == b->attempts &&
           a->status == b->status && is_about(a->at_ns, b->at_ns) && a->dead_is_known == b->dead_is_known &&
           a->dead.topic == b->dead.topic && a->dead.partition == b->dead.partition &&
           (!a->dead_is_known || a->dead.offset + (run->to - run->from) == b->dead.offset) &&
           a->by_len == b->by_len && memcmp(a->by, b->by, a->by_len) == 0;
}

/* The run grew: perhaps the next one goes on where it ends now. */
static void melt(struct memory_progress *progress, uint32_t at)
{
    struct memory_fates *run = &progress->runs[at];
    if (at + 1 == progress->count || !continues(run, run + 1))
        return;
    run->to = run[1].to;
    progress->count--;
    memmove(run + 1, run + 2, (progress->count - at - 1) * sizeof(*run));
}

static void insert(struct memory_progress *progress, uint32_t at, const struct memory_fates *run)
{
    if (at > 0 && continues(&progress->runs[at - 1], run)) {
        progress->runs[at - 1].to = run->to;
        melt(progress, at - 1);
        return;
    }
    if (at < progress->count && continues(run, &progress->runs[at])) {
        uint64_t to = progress->runs[at].to;
        progress->runs[at] = *run;
        progress->runs[at].to = to;
        return;
    }
    if (progress->count == progress->size) {
        progress->size = progress->size == 0 ? 16 : progress->size * 2;
        progress->runs = realloc(progress->runs, progress->size * sizeof(*run));
        check(progress->runs != NULL);
    }
    memmove(&progress->runs[at + 1], &progress->runs[at], (progress->count - at) * sizeof(*run));
    progress->runs[at] = *run;
    progress->count++;
}

/* All that is open in [from, to). */
static void fill(struct memory_progress *progress, uint64_t from, uint64_t to, const struct store_fate *fate)
{
    for (uint64_t next = from; next < to;) {
        uint32_t at = first_above(progress, next);
        bool is_inside = at < progress->count && progress->runs[at].from <= next;
        if (is_inside) {
            next = progress->runs[at].to;
            continue;
        }
        uint64_t gap_to = at < progress->count && progress->runs[at].from < to ? progress->runs[at].from : to;
        struct memory_fates run = {.from = next, .to = gap_to, .fate = *fate};
        run.fate.dead.offset += next - from;
        progress->settled_above += gap_to - next;
        insert(progress, at, &run);
        next = gap_to;
    }
}

/* The mark goes up to the first open offset. */
static void raise(struct memory_progress *progress)
{
    uint64_t to;
    uint64_t low;
    memory_progress_unsettled(progress, progress->low, &low, &to);
    progress->settled_above -= low - progress->low;
    progress->low = low;
}

void memory_progress_settle(struct memory_progress *progress,
                            uint64_t start,
                            uint64_t from,
                            uint64_t to,
                            const struct store_fate *fate)
{
    check(from < to);
    if (!progress->has_begun)
        progress->low = start;
    progress->has_begun = true;
    if (from < progress->low) /* of what lies below the mark nothing becomes known afterwards */
        from = to < progress->low ? to : progress->low;
    fill(progress, from, to, fate);
    raise(progress);
}

static void forget_from(struct memory_progress *progress, uint64_t offset)
{
    while (progress->count > 0 && progress->runs[progress->count - 1].from >= offset)
        progress->count--;
    if (progress->count > 0 && progress->runs[progress->count - 1].to > offset)
        progress->runs[progress->count - 1].to = offset;
}

void memory_progress_seek(struct memory_progress *progress, uint64_t offset, int64_t at_ns)
{
    struct store_fate fate = {.outcome = STORE_OUTCOME_SKIPPED, .at_ns = at_ns};
    forget_from(progress, offset);
    fill(progress, progress->has_begun && progress->low < offset ? progress->low : offset, offset, &fate);
    progress->has_begun = true;
    progress->low = offset;
    progress->settled_above = 0;
}
