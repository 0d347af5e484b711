/* Where the scrubber stands; the helper's alone. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SCRUB_STATE_H
#define JOURNAL_SCRUB_STATE_H

#include <stdbool.h>
#include <stdint.h>

struct scrub {
    uint64_t segment; /* 0: between two passes */
    uint64_t position;
    uint64_t lsn;
    uint32_t incarnation;
    bool has_rested;  /* a pass has come to its end */
    int64_t since_ns; /* when */
    int64_t next_ns;  /* the next step of this one */
    int64_t every_ns; /* as set when this step began, as is the rate */
    uint64_t rate;
};

#endif
