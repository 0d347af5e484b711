/* Tests names of topics and the choice of partitions. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/topic.h"

#include "support/test.h"

TEST(names_of_letters_digits_dots_dashes_and_underscores_are_legal)
{
    char name[STORE_TOPIC_NAME_MAX + 1];
    memset(name, 'n', sizeof name);
    expect(store_topic_name_is_legal(span_from_text("Orders-2026_eu.v1")));
    expect(store_topic_name_is_legal(span_from_text("...")));
    expect(store_topic_name_is_legal(span_of(name, STORE_TOPIC_NAME_MAX)));
    expect(!store_topic_name_is_legal(span_of(name, STORE_TOPIC_NAME_MAX + 1)));
    expect(!store_topic_name_is_legal(span_of("", 0)));
}

TEST(names_that_are_paths_or_hold_other_bytes_are_not_legal)
{
    static const char *const names[] = {".", "..", "a/b", "../a", "a b", "a|b", "a\n", "caf\xc3\xa9"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (store_topic_name_is_legal(span_from_text(names[i])))
            test_fail("\"%s\" is taken for a legal name", names[i]);
    expect(!store_topic_name_is_legal(span_of("a\0b", 3)));
}

TEST(own_names_and_dead_letters_are_reserved)
{
    expect(store_topic_name_is_reserved(span_from_text("waybill.audit")));
    expect(store_topic_name_is_reserved(span_from_text("orders.dlq")));
    expect(store_topic_name_is_reserved(span_from_text(".dlq")));
    expect(!store_topic_name_is_reserved(span_from_text("waybills")));
    expect(!store_topic_name_is_reserved(span_from_text("orders.dlq.old")));
    expect(!store_topic_name_is_reserved(span_from_text("dlq")));
}

/* The hashes are those of the unit tests of Kafka's client: -973932308 and 479470107. */
TEST(keys_choose_partitions_as_kafkas_java_client_does)
{
    expect_equal_u64(store_partition_of(span_from_text("21"), true, 1024, 5),
                     (-973932308 & 0x7fffffff) % 1024);
    expect_equal_u64(store_partition_of(span_from_text("abc"), true, 7, 5), 479470107 % 7);
    expect_equal_u64(store_partition_of(span_from_text("abc"), true, 1, 5), 0);
}

TEST(records_without_a_key_take_turns)
{
    for (uint32_t turn = 0; turn < 9; turn++)
        expect_equal_u64(store_partition_of(span_from_text("ignored"), false, 3, turn), turn % 3);
    expect_equal_u64(store_partition_of(span_of(NULL, 0), false, 1, 8), 0);
}

TEST_MAIN(names_of_letters_digits_dots_dashes_and_underscores_are_legal,
          names_that_are_paths_or_hold_other_bytes_are_not_legal,
          own_names_and_dead_letters_are_reserved,
          keys_choose_partitions_as_kafkas_java_client_does,
          records_without_a_key_take_turns)
