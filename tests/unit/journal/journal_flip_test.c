/* A bad disk: every byte of a small journal at rest is damaged in turn; it is found, located, and costs only itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal/frame.h"
#include "journal/segment.h"
#include "journal/survey.h"
#include "support/journal_model.h"
#include "support/test.h"

/*
 * The survey meets every byte of headers, frames and index files with one mask each. Opening the journal on the damaged
 * files, reading everything and going on takes longer: it meets every OPEN_EVERY-th byte, from a random one on.
 */
enum {
    SEGMENT = 16 * 1024,
    APPEND_MAX = 2048,
    APPENDS = 34,
    FILES_MAX = 16,
    OPEN_EVERY = 13,
    LOST_AT_MOST = 1, /* appends that one bad byte may cost */
};

/* The bytes of one file that mean something. */
struct region {
    char name[SEGMENT_NAME_SIZE];
    uint64_t number;
    uint64_t end;
    bool is_index;
    bool is_active;
};

struct patient {
    struct journal_bench bench;
    struct journal_model model;
    struct region regions[FILES_MAX];
    uint32_t region_count;
    uint64_t rest_from; /* the empty group that ends the active segment */
};

/* --- The journal ------------------------------------------------------------------------------------ */

static void use_small_segments(struct journal_bench *bench)
{
    bench->settings.segment_size = SEGMENT;
    bench->settings.append_size_max = SEGMENT / 4;
    bench->settings.record_size_max = APPEND_MAX;
}

static void
add_region(struct patient *patient, uint64_t number, const char *suffix, uint64_t end, bool is_active)
{
    check(patient->region_count < FILES_MAX);
    struct region *region = &patient->regions[patient->region_count++];
    *region = (struct region){.number = number, .end = end, .is_active = is_active};
    region->is_index = strcmp(suffix, ".index") == 0;
    segment_name(region->name, number, suffix);
}

static uint64_t size_of(struct fs *fs, const char *name)
{
    struct fs_file *file;
    struct fs_stat stat;
    expect_fine(fs_open(fs, name, FS_OPEN_READ, &file));
    expect_fine(file->ops->stat(file, &stat));
    file = fs_close(file);
    return stat.size;
}

static void on_segment(void *owner, const struct survey_segment *segment)
{
    struct patient *patient = owner;
    char name[SEGMENT_NAME_SIZE];
    if (segment->state != SURVEY_SEALED && segment->state != SURVEY_ACTIVE)
        return;
    bool is_active = segment->state == SURVEY_ACTIVE;
    add_region(patient, segment->number, ".segment", segment->end, is_active);
    if (is_active)
        patient->rest_from = segment->end - FRAME_GROUP_SIZE;
    segment_name(name, segment->number, ".index");
    if (segment->has_index)
        add_region(patient, segment->number, ".index", size_of(patient->bench.fs, name), false);
}

static void on_no_finding(void *owner, enum survey_finding finding, const char *fields)
{
    (void)owner;
    (void)finding;
    test_fail("the sound journal: %s", fields);
}

static void begin(struct patient *patient, uint64_t seed)
{
    *patient = (struct patient){0};
    journal_bench_init(&patient->bench, seed);
    use_small_segments(&patient->bench);
    journal_model_init(&patient->model, &patient->bench);
    journal_bench_open(&patient->bench);
    for (uint32_t shape = 0; patient->model.count < APPENDS; shape++) {
        if (journal_model_size_of(shape) > APPEND_MAX)
            continue;
        expect_fine(journal_model_submit(&patient->model, shape));
        journal_bench_settle(&patient->bench);
    }
    journal_bench_rest(&patient->bench);
    journal_bench_close(&patient->bench);
    struct survey survey = {
        .fs = patient->bench.fs, .on_segment = on_segment, .on_finding = on_no_finding, .owner = patient};
    expect_fine(survey_run(&survey, NULL));
    expect(patient->region_count >= 5); /* two sealed segments with their indexes, one active */
}

static void finish(struct patient *patient)
{
    journal_model_done(&patient->model);
    journal_bench_done(&patient->bench);
}

/* --- Found and located -------------------------------------------------------------------------------- */

struct search {
    const struct patient *patient;
    const struct region *region;
    uint64_t at;
    bool is_found;
    bool is_torn_tail;
};

static void no_segment(void *owner, const struct survey_segment *segment)
{
    (void)owner;
    (void)segment;
}

/* False when the fields do not have it. */
static bool number_of(const char *fields, const char *name, uint64_t *ret_number)
{
    const char *at = strstr(fields, name);
    if (at != NULL)
        *ret_number = strtoull(at + strlen(name), NULL, 10);
    return at != NULL;
}

static void on_finding(void *owner, enum survey_finding finding, const char *fields)
{
    struct search *search = owner;
    uint64_t number = 0;
    uint64_t from = 0;
    uint64_t to = 0;
    if (!number_of(fields, "segment=", &number) || number != search->region->number)
        test_fail("byte %llu of %s is reported elsewhere: %s", (unsigned long long)search->at,
                  search->region->name, fields);
    bool is_here = strstr(fields, search->region->is_index ? "what=index" : "what=header_lost") != NULL;
    if (number_of(fields, " from=", &from) && number_of(fields, " to=", &to))
        is_here = !search->region->is_index && from <= search->at && search->at < to;
    search->is_found = search->is_found || is_here;
    search->is_torn_tail = search->is_torn_tail || finding == SURVEY_TORN_TAIL;
}

static void
expect_found(const struct patient *patient, struct fs *fs, const struct region *region, uint64_t at)
{
    struct search search = {.patient = patient, .region = region, .at = at};
    struct survey survey = {.fs = fs, .on_segment = no_segment, .on_finding = on_finding, .owner = &search};
    struct why why = {{0}};
    enum err err = survey_run(&survey, &why);
    if (err != ERR_NONE)
        test_fail("byte %llu of %s: verify ends with %s: %s", (unsigned long long)at, region->name,
                  err_name(err), why.text);
    if (!search.is_found)
        test_fail("byte %llu of %s is not found", (unsigned long long)at, region->name);
    if (search.is_torn_tail && !(region->is_active && at >= patient->rest_from))
        test_fail("byte %llu of %s is taken for a torn tail", (unsigned long long)at, region->name);
}

static void flip(struct fs_file *file, uint64_t at, uint8_t mask)
{
    uint8_t byte;
    size_t len;
    expect_fine(fs_pread(file, &byte, 1, at, &len));
    byte ^= mask;
    expect_fine(fs_pwrite(file, span_of(&byte, 1), at));
}

TEST(verify_finds_and_locates_every_single_bad_byte)
{
    struct patient patient;
    struct random random;
    uint64_t seed = test_number_from_environment("WAYBILL_SEED", (uint64_t)time(NULL));
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    uint64_t sparse = test_number_from_environment("WAYBILL_SPARSE", 1);
    begin(&patient, seed);
    for (uint32_t i = 0; i < patient.region_count; i++) {
        const struct region *region = &patient.regions[i];
        struct fs_file *file;
        expect_fine(fs_open(patient.bench.fs, region->name, FS_OPEN_WRITE, &file));
        for (uint64_t at = 0; at < region->end; at += sparse) {
            uint8_t mask = (uint8_t)(1 + random_below(&random, UINT8_MAX));
            flip(file, at, mask);
            expect_found(&patient, patient.bench.fs, region, at);
            flip(file, at, mask);
        }
        file = fs_close(file);
    }
    finish(&patient);
}

/* --- It costs only itself --------------------------------------------------------------------------------- */

static void go_on(struct journal_bench *bench, struct journal_model *model)
{
    uint32_t done = 0;
    for (uint32_t shape = 1000; done < 3; shape++) {
        if (journal_model_size_of(shape) > APPEND_MAX)
            continue;
        expect_fine(journal_model_submit(model, shape));
        journal_bench_settle(bench);
        done++;
    }
    expect_equal_u64(model->pending, 0);
    journal_bench_rest(bench);
}

static void
open_damaged(const struct patient *patient, const struct region *region, uint64_t at, struct random *random)
{
    struct journal_bench bench;
    struct journal_model model;
    struct fs *fs =
        fs_memory_crash(patient->bench.fs, fs_memory_operations(patient->bench.fs), FS_MEMORY_KEPT, random);
    journal_bench_init_on(&bench, fs, random_u64(random));
    use_small_segments(&bench);
    journal_model_copy(&model, &patient->model, UINT64_MAX - 1, &bench);
    (void)snprintf(model.where, sizeof model.where, "byte %llu of %s", (unsigned long long)at, region->name);
    model.has_damage = true;
    for (int life = 0; life < 2; life++) {
        journal_bench_open(&bench);
        bool is_told = journal_bench_complaints(&bench) + bench.events[JOURNAL_EVENT_TORN_TAIL] > 0;
        if (life == 0 && region->is_active && !is_told)
            test_fail("%s: recovery says nothing", model.where);
        journal_model_check(&model, fs_memory_operations(bench.fs));
        if (model.missing > LOST_AT_MOST)
            test_fail("%s costs %u appends", model.where, model.missing);
        if (region->is_index && model.missing + model.missing_numbers > 0)
            test_fail("%s, an index file, costs %u appends", model.where, model.missing);
        if (life == 0)
            go_on(&bench, &model);
        journal_bench_close(&bench);
    }
    expect_equal_u64(bench.events[JOURNAL_EVENT_BROKEN], 0);
    journal_model_done(&model);
    journal_bench_done(&bench);
}

TEST(a_bad_byte_costs_at_most_the_append_it_is_in_and_the_journal_goes_on)
{
    struct patient patient;
    struct random random;
    uint64_t seed = test_number_from_environment("WAYBILL_SEED", (uint64_t)time(NULL));
    uint64_t every = test_number_from_environment("WAYBILL_FLIP_EVERY", OPEN_EVERY) *
                     test_number_from_environment("WAYBILL_SPARSE", 1);
    print_message("seed %llu\n", (unsigned long long)seed);
    random_seed(&random, seed);
    begin(&patient, seed);
    for (uint32_t i = 0; i < patient.region_count; i++) {
        const struct region *region = &patient.regions[i];
        for (uint64_t at = random_below(&random, every); at < region->end; at += every) {
            uint8_t mask = (uint8_t)(1 + random_below(&random, UINT8_MAX));
            fs_memory_poke(patient.bench.fs, region->name, at, mask);
            open_damaged(&patient, region, at, &random);
            fs_memory_poke(patient.bench.fs, region->name, at, mask);
        }
    }
    finish(&patient);
}

TEST_MAIN(verify_finds_and_locates_every_single_bad_byte,
          a_bad_byte_costs_at_most_the_append_it_is_in_and_the_journal_goes_on)
