/* The place of a record, as lines name it: <partition>:<offset>, <topic>/<partition>/<offset>. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_PLACE_H
#define WIRE_LINE_PLACE_H

#include "base/span.h"

enum { LINE_PARTITIONS_MAX = 1024 };

struct line_place {
    struct span topic; /* into the word; empty: it was not named */
    uint32_t partition;
    uint64_t offset;
};

/* False: something else. A topic may be any word without a slash: who opens it knows what is legal. */
bool line_place_parse(struct span word, struct line_place *ret_place);

#endif
