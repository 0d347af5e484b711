/* Gives any bytes to the scan of a segment and to what applies its frames, with checksums made right or left alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "fuzz/fuzz.h"
#include "journal/checkpoint.h"
#include "journal/replay.h"
#include "journal/segment_scan.h"

enum { EPOCH = 7, TOPICS_MAX = 64, INDEX_MAX = 1 << 20, SIZE_MAX_HERE = 64 * 1024 };

/* A file that begins with a header page of zeros, which nobody reads here. */
struct region {
    struct fs_file file;
    const uint8_t *bytes;
    size_t len;
};

static enum err
region_pread(struct fs_file *file, void *to, size_t size, uint64_t at, bool no_wait, size_t *ret_len)
{
    const struct region *region = LIST_OWNER(file, struct region, file);
    (void)no_wait;
    check(at >= SEGMENT_HEADER_SIZE);
    at -= SEGMENT_HEADER_SIZE;
    size_t rest = at < region->len ? region->len - (size_t)at : 0;
    *ret_len = rest < size ? rest : size;
    if (*ret_len > 0)
        memcpy(to, region->bytes + at, *ret_len);
    return ERR_NONE;
}

static const struct fs_ops region_ops = {.pread = region_pread};

/* Frame after frame gets the LSN and the CRC that belong there; what a length makes of the bytes is the input's choice. */
static void mend(uint8_t *bytes, size_t len)
{
    size_t at = 0;
    for (uint64_t lsn = 1; at + FRAME_HEADER_SIZE <= len; lsn++) {
        struct frame frame = frame_peek(bytes + at);
        if (frame.len < FRAME_HEADER_SIZE || frame_padded(frame.len) > len - at)
            return;
        frame.lsn = lsn;
        frame.incarnation = 1;
        frame_write(bytes + at, &frame, frame_crc_of_epoch(EPOCH));
        at += frame_padded(frame.len);
    }
}

static enum err on_set(void *owner, const struct scan_set *set)
{
    return replay_set(owner, set->bytes, set->position);
}

static void on_damage(void *owner, const struct segment_damage *damage)
{
    (void)owner;
    check(damage->from < damage->to && damage->from >= SEGMENT_HEADER_SIZE);
}

static void on_lost_name(void *owner, const char *name)
{
    (void)owner;
    check(name[0] != '\0');
}

static struct catalog *catalog_new(void)
{
    struct catalog *catalog = malloc(sizeof *catalog);
    const struct catalog_limits limits = {.topics_max = TOPICS_MAX, .producers_max = CATALOG_PRODUCERS_MAX};
    check(catalog != NULL);
    catalog_init(catalog, &limits, 1);
    return catalog;
}

static struct catalog *catalog_free(struct catalog *catalog)
{
    catalog_done(catalog);
    free(catalog);
    return NULL;
}

static void load(const struct replay *replay)
{
    struct segment_table table = {0};
    if (!replay->has_checkpoint)
        return;
    struct catalog *catalog = catalog_new();
    enum err err = checkpoint_read(buffer_span(&replay->checkpoint), catalog, &table);
    check(err == ERR_NONE || err == ERR_DAMAGED || err == ERR_MEMORY);
    segment_table_done(&table);
    catalog = catalog_free(catalog);
}

/* The sum of what was applied stays within what was there; `known_end`: as of a sealed segment, or 0. */
static void scan(const struct region *region, uint64_t known_end)
{
    struct region copy = *region;
    struct segment_header header = {.number = 1,
                                    .epoch = EPOCH,
                                    .first_lsn = 1,
                                    .incarnation = 1,
                                    .size = SEGMENT_HEADER_SIZE + region->len};
    struct catalog *catalog = catalog_new();
    struct segment_table table = {0};
    struct replay replay;
    struct segment_scan scan = {.file = &copy.file,
                                .header = &header,
                                .known_end = known_end,
                                .on_set = on_set,
                                .on_damage = on_damage,
                                .owner = &replay};
    replay_init(&replay);
    check(segment_index_new(INDEX_MAX, &replay.index) == ERR_NONE);
    replay.catalog = catalog;
    replay.table = &table;
    replay.on_lost_name = on_lost_name;
    enum err err = segment_scan_run(&scan);
    check(err == ERR_NONE || err == ERR_MEMORY || err == ERR_TOO_MANY || err == ERR_TOO_LARGE);
    check(err != ERR_NONE || scan.end <= (known_end != 0 ? known_end : header.size) || known_end != 0);
    load(&replay);
    replay.index = segment_index_free(replay.index);
    replay_done(&replay);
    catalog = catalog_free(catalog);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > SIZE_MAX_HERE)
        return 0;
    size_t len = (size - 1) / FRAME_ALIGNMENT * FRAME_ALIGNMENT;
    uint8_t *bytes = malloc(len + 1);
    check(bytes != NULL);
    memcpy(bytes, data + 1, len);
    if ((data[0] & 1) != 0)
        mend(bytes, len);
    struct region region = {{&region_ops}, bytes, len};
    bool has_begun;
    struct segment_header header = {
        .epoch = EPOCH, .first_lsn = 1, .incarnation = 1, .size = SEGMENT_HEADER_SIZE + len};
    scan(&region, (data[0] & 2) != 0 ? SEGMENT_HEADER_SIZE + len : 0);
    check(segment_scan_has_begun(&region.file, &header, SEGMENT_HEADER_WHOLE, &has_begun) == ERR_NONE);
    free(bytes);
    return 0;
}
