/* Which stretch of a topic is meant: `from` and `to`, as an operator writes them. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_RANGE_TEXT_H
#define STORE_RANGE_TEXT_H

#include "base/why.h"
#include "store/record_scan.h"

enum { RANGE_TEXT_MAX = 12 * 1024 };

/*
 * `from` and `to` are an offset, which holds for every partition, or a list `<partition>:<offset>,...`, and then only the
 * partitions of the list are meant; empty: the whole topic as it is now. Nothing outside of the topic as it is now is ever in a
 * range. *ret_ranges has one for each partition; the caller frees it. BAD_INPUT with the reason, UNKNOWN_TOPIC, MEMORY.
 */
enum err range_text_parse(struct store *store,
                          const struct store_topic *topic,
                          struct span from,
                          struct span to,
                          struct why *why,
                          struct record_scan_range **ret_ranges) MUST_CHECK;

#endif
