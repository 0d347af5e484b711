/* Tests of hashes against published values. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "support/test.h"

/* From the tests of Kafka's Java client, UtilsTest.testMurmur2. */
TEST(murmur2_agrees_with_kafkas_java_client)
{
    static const struct {
        const char *text;
        int32_t hash;
    } rows[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"abc", 479470107},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_equal_i64((int32_t)hash_murmur2(span_from_text(rows[i].text)), rows[i].hash);
}

/* RFC 3720 B.4, and the usual check value. */
TEST(crc32c_agrees_with_the_rfc)
{
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    expect_equal_u64(hash_crc32c(span_of(bytes, 32), 0), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    expect_equal_u64(hash_crc32c(span_of(bytes, 32), 0), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    expect_equal_u64(hash_crc32c(span_of(bytes, 32), 0), 0x46dd794e);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    expect_equal_u64(hash_crc32c(span_of(bytes, 32), 0), 0x113fdb5c);
    expect_equal_u64(hash_crc32c(span_from_text("123456789"), 0), 0xe3069283);
}

TEST(crc32c_goes_on_where_it_stopped)
{
    struct span text = span_from_text("a text that is cut at every place");
    uint32_t whole = hash_crc32c(text, 0);
    for (size_t cut = 0; cut <= text.len; cut++)
        expect_equal_u64(hash_crc32c(span_after(text, cut), hash_crc32c(span_of(text.data, cut), 0)), whole);
}

TEST(seeded_hash_depends_on_seed_length_and_every_byte)
{
    uint8_t zeros[40] = {0};
    for (size_t len = 0; len < sizeof zeros; len++) {
        uint64_t hash = hash_bytes(span_of(zeros, len), 1);
        expect(hash != hash_bytes(span_of(zeros, len), 2));
        expect(hash != hash_bytes(span_of(zeros, len + 1), 1));
        for (size_t i = 0; i < len; i++) {
            zeros[i] = 1;
            expect(hash != hash_bytes(span_of(zeros, len), 1));
            zeros[i] = 0;
        }
    }
}

TEST_MAIN(murmur2_agrees_with_kafkas_java_client,
          crc32c_agrees_with_the_rfc,
          crc32c_goes_on_where_it_stopped,
          seeded_hash_depends_on_seed_length_and_every_byte)
