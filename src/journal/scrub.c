/* The scrubber: one pass over all sealed segments and their indexes, then a long rest. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/scrub.h"

#include "base/metric.h"
#include "journal/reader.h"
#include "journal/scanner.h"

#define TICK_NS CLOCK_NS_PER_S

/* The sealed segment to go on with, referenced; NULL when the pass is over or none is due. */
static struct segment *take_segment(struct journal *journal)
{
    struct scrub *scrub = &journal->scrub;
    struct segment *found = NULL;
    journal_lock(&journal->view);
    for (uint32_t i = 0; found == NULL && i < journal->table.count; i++) {
        struct segment *segment = journal->table.segments[i];
        if (segment->number >= scrub->segment && segment->state == SEGMENT_SEALED)
            found = segment;
    }
    if (found != NULL)
        found->references++;
    journal_unlock(&journal->view);
    if (found == NULL) {
        scrub->segment = 0;
        scrub->has_rested = true;
        scrub->since_ns = clock_now_ns(journal->seams.clock);
    } else if (found->number != scrub->segment || scrub->position == 0) {
        scrub->segment = found->number;
        scrub->position = SEGMENT_HEADER_SIZE;
        scrub->lsn = found->first_lsn;
        scrub->incarnation = 0;
    }
    return found;
}

static void move_on(struct scrub *scrub, const struct segment *segment)
{
    scrub->segment = segment->number + 1;
    scrub->position = 0;
}

static void tell(struct journal *journal, const struct segment *segment, uint64_t from, uint64_t to)
{
    metric_add(METRIC_DAMAGE, 1);
    journal_tell(journal, JOURNAL_EVENT_DAMAGE, "segment=%llu from=%llu to=%llu found_by=scrubber",
                 (unsigned long long)segment->number, (unsigned long long)from, (unsigned long long)to);
}

/* The scanner stands before bad bytes: says so, and goes on behind them. */
static enum err
pass_damage(struct journal *journal, struct scanner *scanner, const struct segment *segment, uint64_t bad)
{
    enum err err = scanner_resync(scanner, bad);
    uint64_t to = err == ERR_NONE ? scanner->position : scanner->end;
    if (err != ERR_NONE && err != ERR_NOT_FOUND)
        return err;
    tell(journal, segment, bad, to);
    scanner->position = to;
    return ERR_NONE;
}

static enum err read_frames(struct journal *journal, struct scanner *scanner, const struct segment *segment)
{
    uint64_t until = scanner->position + journal->scrub.rate;
    enum err err = ERR_NONE;
    while (err == ERR_NONE && scanner->position < scanner->end && scanner->position < until) {
        struct scan_set set;
        if (scanner_next(scanner, &set, &err) == SCAN_STOP)
            err = pass_damage(journal, scanner, segment, set.position + set.bytes.len);
    }
    return err;
}

/*
 * The index is small: it is read in one go, at the end of its segment, through a file of its own, so that no lookup waits
 * for the disk meanwhile. A bad one is made again when somebody asks.
 */
static void check_index(struct journal *journal, struct segment *segment)
{
    struct index_file *file = NULL;
    enum err err = index_file_open(journal->seams.fs, segment->number, segment->epoch, &file);
    if (err == ERR_NONE)
        err = index_file_verify(file);
    file = index_file_close(file);
    journal_lock(&journal->view);
    err = segment_index_outcome(segment, err);
    journal_unlock(&journal->view);
    if (err == ERR_AGAIN)
        journal_tell(journal, JOURNAL_EVENT_DAMAGE, "segment=%llu what=index found_by=scrubber",
                     (unsigned long long)segment->number);
}

static enum err scrub_segment(struct journal *journal, struct segment *segment)
{
    struct scrub *scrub = &journal->scrub;
    struct scanner scanner;
    enum err err = reader_open_segment(journal, segment);
    if (err != ERR_NONE)
        return err;
    scanner_init(&scanner, segment->file, segment->epoch, segment->end);
    scanner_seek(&scanner, scrub->position, scrub->lsn, scrub->incarnation);
    err = read_frames(journal, &scanner, segment);
    scrub->position = scanner.position;
    scrub->lsn = scanner.lsn;
    scrub->incarnation = scanner.incarnation;
    if (err == ERR_NONE && scanner.position >= scanner.end) {
        check_index(journal, segment);
        move_on(scrub, segment);
    }
    scanner_done(&scanner);
    return err;
}

/* A reload may have changed them since the last step. */
static void take_settings(struct journal *journal)
{
    journal_lock(&journal->view);
    journal->scrub.every_ns = journal->settings.scrub_every_ns;
    journal->scrub.rate = journal->settings.scrub_rate;
    journal_unlock(&journal->view);
}

static bool is_due(const struct scrub *scrub, int64_t now_ns)
{
    bool is_resting = scrub->segment == 0 && scrub->has_rested && now_ns - scrub->since_ns < scrub->every_ns;
    return scrub->every_ns > 0 && !is_resting;
}

void scrub_step(struct journal *journal)
{
    struct scrub *scrub = &journal->scrub;
    int64_t now_ns = clock_now_ns(journal->seams.clock);
    if (now_ns < scrub->next_ns)
        return;
    scrub->next_ns = now_ns + TICK_NS;
    take_settings(journal);
    if (!is_due(scrub, now_ns))
        return;
    struct segment *segment = take_segment(journal);
    if (segment == NULL)
        return;
    enum err err = scrub_segment(journal, segment);
    if (err != ERR_NONE) {
        journal_tell(journal, JOURNAL_EVENT_CHORE_FAILED, "doing=scrubbing segment=%llu err=%s",
                     (unsigned long long)segment->number, err_name(err));
        move_on(scrub, segment);
    }
    journal_lock(&journal->view);
    segment->references--;
    journal_unlock(&journal->view);
}
