/* Tests of gzip against zlib's own reader. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/gzip.h"

#include <stdlib.h>

#include <zlib.h>

#include "base/random.h"
#include "support/test.h"

enum { SIZE = 3 * 1024 * 1024 };

static void expect_plain(struct span packed, struct span plain)
{
    uint8_t *found = malloc(plain.len + 1);
    expect_not_null(found);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed.data,
                       .avail_in = (uInt)packed.len,
                       .next_out = found,
                       .avail_out = (uInt)plain.len + 1};
    expect(inflateInit2(&stream, 15 + 16) == Z_OK);
    expect(inflate(&stream, Z_FINISH) == Z_STREAM_END);
    expect_equal_u64(stream.avail_in, 0);
    expect_equal_span(span_of(found, stream.total_out), plain);
    expect(inflateEnd(&stream) == Z_OK);
    free(found);
}

/* Half of it compresses, half of it does not. */
static uint8_t *make_bytes(void)
{
    struct random random;
    uint8_t *bytes = malloc(SIZE);
    expect_not_null(bytes);
    random_seed(&random, 1);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = i < SIZE / 2 ? (uint8_t)(i / 1000) : (uint8_t)random_u64(&random);
    return bytes;
}

TEST(pieces_make_one_stream_that_zlib_reads)
{
    uint8_t *bytes = make_bytes();
    struct random random;
    random_seed(&random, 2);
    struct gzip *gzip;
    struct buffer packed;
    buffer_init(&packed, 2 * SIZE);
    expect_fine(gzip_new(&gzip));
    for (size_t at = 0; at < SIZE;) {
        size_t len = 1 + (size_t)random_below(&random, 300000);
        len = len < SIZE - at ? len : SIZE - at;
        expect_fine(gzip_add(gzip, span_of(bytes + at, len), at + len == SIZE, &packed));
        at += len;
    }
    expect_null(gzip_free(gzip));
    expect(packed.len < SIZE * 2 / 3);
    expect_plain(buffer_span(&packed), span_of(bytes, SIZE));
    buffer_done(&packed);
    free(bytes);
}

TEST(nothing_at_all_is_a_stream_too)
{
    struct gzip *gzip;
    struct buffer packed;
    buffer_init(&packed, 1 << 20);
    expect_fine(gzip_new(&gzip));
    expect_fine(gzip_add(gzip, span_of("", 0), true, &packed));
    gzip_free(gzip);
    expect_plain(buffer_span(&packed), span_of("", 0));
    buffer_done(&packed);
}

TEST(a_buffer_that_is_full_is_told)
{
    uint8_t *bytes = make_bytes();
    struct gzip *gzip;
    struct buffer packed;
    buffer_init(&packed, 64 * 1024);
    expect_fine(gzip_new(&gzip));
    expect_err(gzip_add(gzip, span_of(bytes, SIZE), true, &packed), ERR_TOO_LARGE);
    gzip_free(gzip);
    buffer_done(&packed);
    free(bytes);
}

TEST_MAIN(pieces_make_one_stream_that_zlib_reads,
          nothing_at_all_is_a_stream_too,
          a_buffer_that_is_full_is_told)
