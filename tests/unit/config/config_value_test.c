/* Tests of addresses and of the nearest word. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_value.h"

#include <limits.h>

#include "config/config_nearest.h"
#include "support/test.h"

TEST(addresses_are_host_and_port)
{
    struct config_address address;
    expect(config_address_parse("127.0.0.1:5673", &address));
    expect_equal_text(address.host, "127.0.0.1");
    expect_equal_u64(address.port, 5673);
    expect(config_address_parse("[::1]:0", &address));
    expect_equal_text(address.host, "::1");
    expect(config_address_parse("localhost:65535", &address));
    static const char *const wrong[] = {"",     ":1",    "a",    "a:",    "a:65536",
                                        "a:-1", "::1:5", "[]:5", "[a]:5", "a:1 "};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (config_address_parse(wrong[i], &address))
            test_fail("taken: %s", wrong[i]);
}

TEST(loopback_is_recognised)
{
    static const struct {
        const char *text;
        bool is_loopback;
    } rows[] = {{"127.0.0.1:1", true}, {"127.1.2.3:1", true},   {"[::1]:1", true},
                {"localhost:1", true}, {"0.0.0.0:1", false},    {"[::]:1", false},
                {"10.0.0.1:1", false}, {"example.org:1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config_address address;
        expect(config_address_parse(rows[i].text, &address));
        expect(config_address_is_loopback(&address) == rows[i].is_loopback);
    }
}

TEST(distance_counts_edits)
{
    expect_equal_u64(config_distance("", ""), 0);
    expect_equal_u64(config_distance("", "abc"), 3);
    expect_equal_u64(config_distance("data", "data"), 0);
    expect_equal_u64(config_distance("dta", "data"), 1);
    expect_equal_u64(config_distance("adta", "data"), 1);
    expect_equal_u64(config_distance("kitten", "sitting"), 3);
    expect_equal_u64(config_distance("listen", "silent"), 4);
    char longest[66];
    memset(longest, 'a', sizeof longest);
    longest[64] = '\0';
    expect_equal_u64(config_distance(longest, "a"), UINT_MAX);
    longest[63] = '\0';
    expect_equal_u64(config_distance(longest, "a"), 62);
}

TEST_MAIN(addresses_are_host_and_port, loopback_is_recognised, distance_counts_edits)
