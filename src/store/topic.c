/* Names of topics and choice of partitions: what every store does alike. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/topic.h"

#include "base/check.h"
#include "base/hash.h"

const char store_topic_name_rule[] = "1 to 200 of A-Z a-z 0-9 . _ -, and not `.` or `..`";

static bool is_name_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '.' || byte == '_' || byte == '-';
}

bool store_topic_name_is_legal(struct span name)
{
    if (name.len == 0 || name.len > STORE_TOPIC_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_byte(name.data[i]))
            return false;
    return !span_equal_text(name, ".") && !span_equal_text(name, "..");
}

bool store_topic_name_is_reserved(struct span name)
{
    const size_t suffix = 4;
    if (span_starts_with(name, "waybill."))
        return true;
    return name.len >= suffix && span_equal_text(span_after(name, name.len - suffix), ".dlq");
}

uint32_t store_partition_of(struct span key, bool has_key, uint32_t partitions, uint32_t turn)
{
    check(partitions > 0);
    if (partitions == 1)
        return 0;
    return has_key ? (hash_murmur2(key) & 0x7fffffff) % partitions : turn % partitions;
}
