/* The loads of `waybill bench` without a verb: what this disk and this machine are good for. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_TOUR_H
#define CLI_BENCH_TOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/why.h"

/* Runs each for so long, on a server of its own below `directory`; all files are removed again. */
enum err bench_tour_run(const char *directory, int64_t time_ns, bool is_json, struct why *why) MUST_CHECK;

#endif
