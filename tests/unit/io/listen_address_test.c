/* Tests of addresses: what a name resolves to, and which two of them cannot both be listened on. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen_address.h"

#include "support/test.h"

static struct listen_address resolve(const char *text)
{
    struct listen_address address;
    struct why why = {{0}};
    if (listen_address_resolve(text, &address, &why) != ERR_NONE)
        test_fail("%s", why.text);
    return address;
}

static bool meet(const char *one, const char *other)
{
    struct listen_address first = resolve(one);
    struct listen_address second = resolve(other);
    bool does = listen_addresses_meet(&first, &second);
    expect(listen_addresses_meet(&second, &first) == does);
    return does;
}

TEST(addresses_meet_when_one_socket_takes_what_is_meant_for_the_other)
{
    expect(meet("127.0.0.1:5", "127.0.0.1:5"));
    expect(meet("127.0.0.1:5", "127.1:5"));
    expect(meet("0.0.0.0:5", "127.0.0.1:5"));
    expect(meet("[::]:5", "127.0.0.1:5"));
    expect(meet("[::]:5", "0.0.0.0:5"));
    expect(meet("[::]:5", "[::1]:5"));
    expect(meet("[::1]:5", "[0:0:0:0:0:0:0:1]:5"));
    expect(meet("[::ffff:127.0.0.1]:5", "127.0.0.1:5"));
    struct listen_address name = resolve("localhost:5");
    expect(listen_address_is_loopback(&name));
    expect(meet("localhost:5", name.name.ss_family == AF_INET ? "127.0.0.1:5" : "[::1]:5"));
}

TEST(addresses_that_can_be_listened_on_together_do_not_meet)
{
    expect(!meet("127.0.0.1:5", "127.0.0.1:6"));
    expect(!meet("127.0.0.1:5", "127.0.0.2:5"));
    expect(!meet("127.0.0.1:5", "[::1]:5"));
    expect(!meet("0.0.0.0:5", "[::1]:5"));
    expect(!meet("0.0.0.0:0", "0.0.0.0:0"));
}

TEST(loopback_is_told_from_what_other_machines_reach)
{
    static const struct {
        const char *text;
        bool is_loopback;
    } cases[] = {
        {"127.0.0.1:5", true}, {"127.3.2.1:5", true}, {"[::1]:5", true},      {"[::ffff:127.0.0.1]:5", true},
        {"0.0.0.0:5", false},  {"[::]:5", false},     {"192.0.2.1:5", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct listen_address address = resolve(cases[i].text);
        expect(listen_address_is_loopback(&address) == cases[i].is_loopback);
    }
}

TEST(what_is_no_address_is_refused_with_what_one_is)
{
    static const char *const texts[] = {"5673", "127.0.0.1", "127.0.0.1:", ":5673", "127.0.0.1:http\x01"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct listen_address address;
        struct why why = {{0}};
        expect_err(listen_address_resolve(texts[i], &address, &why), ERR_BAD_INPUT);
        expect(why.text[0] != '\0');
    }
}

TEST_MAIN(addresses_meet_when_one_socket_takes_what_is_meant_for_the_other,
          addresses_that_can_be_listened_on_together_do_not_meet,
          loopback_is_told_from_what_other_machines_reach,
          what_is_no_address_is_refused_with_what_one_is)
