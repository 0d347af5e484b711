/* The static block of metrics: relaxed atomics, any thread. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

struct metric_row {
    const char *name;
    const char *help;
    enum metric_kind kind;
};

static const struct metric_row rows[METRIC_COUNT] = {
#define METRIC_ROW(id, kind, name, help) {name, help, METRIC_##kind},
    METRIC_LIST(METRIC_ROW)
#undef METRIC_ROW
};

static _Atomic int64_t values[METRIC_COUNT];

void metric_add(enum metric metric, int64_t value)
{
    atomic_fetch_add_explicit(&values[metric], value, memory_order_relaxed);
}

void metric_set(enum metric metric, int64_t value)
{
    atomic_store_explicit(&values[metric], value, memory_order_relaxed);
}

int64_t metric_get(enum metric metric)
{
    return atomic_load_explicit(&values[metric], memory_order_relaxed);
}

const char *metric_name(enum metric metric)
{
    return rows[metric].name;
}

const char *metric_help(enum metric metric)
{
    return rows[metric].help;
}

enum metric_kind metric_kind(enum metric metric)
{
    return rows[metric].kind;
}
