/* Two tables of units, parsed and printed alike. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"

struct unit {
    const char *name;
    uint64_t factor; /* of the smallest unit, which stands first */
};

static const struct unit durations[] = {
    {"ns", 1},
    {"us", CLOCK_NS_PER_US},
    {"ms", CLOCK_NS_PER_MS},
    {"s", CLOCK_NS_PER_S},
    {"m", 60 * CLOCK_NS_PER_S},
    {"h", 3600 * CLOCK_NS_PER_S},
    {"d", 86400 * CLOCK_NS_PER_S},
};

static const struct unit sizes[] = {
    {"B", 1},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
};

enum {
    DURATION_COUNT = sizeof durations / sizeof durations[0],
    SIZE_COUNT = sizeof sizes / sizeof sizes[0],
};

static bool parse(struct span text, const struct unit *units, size_t count, uint64_t *ret_value)
{
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    uint64_t number;
    if (!span_to_u64(span_of(text.data, digits), &number))
        return false;
    struct span name = span_after(text, digits);
    if (name.len == 0 && number == 0) {
        *ret_value = 0;
        return true;
    }
    for (size_t i = 0; i < count; i++)
        if (span_equal_text(name, units[i].name))
            return !__builtin_mul_overflow(number, units[i].factor, ret_value);
    return false;
}

bool units_parse_duration(struct span text, int64_t *ret_ns)
{
    uint64_t value;
    if (!parse(text, durations, DURATION_COUNT, &value) || value > INT64_MAX)
        return false;
    *ret_ns = (int64_t)value;
    return true;
}

bool units_parse_size(struct span text, uint64_t *ret_bytes)
{
    return parse(text, sizes, SIZE_COUNT, ret_bytes);
}

static const char *put_exact(char *text, uint64_t value, const struct unit *units, size_t count)
{
    size_t best = count - 1;
    while (best > 0 && (value == 0 || value % units[best].factor != 0))
        best--;
    (void)snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 "%s", value / units[best].factor, units[best].name);
    return text;
}

static const char *put_about(char *text, uint64_t value, const struct unit *units, size_t count)
{
    size_t best = count - 1;
    while (best > 0 && value < units[best].factor)
        best--;
    double number = (double)value / (double)units[best].factor;
    int decimals = best == 0 || number >= 100 ? 0 : number >= 10 ? 1 : 2;
    (void)snprintf(text, UNITS_TEXT_SIZE, "%.*f%s", decimals, number, units[best].name);
    return text;
}

const char *units_put_duration(char text[static UNITS_TEXT_SIZE], int64_t ns)
{
    check(ns >= 0);
    return put_exact(text, (uint64_t)ns, durations, DURATION_COUNT);
}

const char *units_put_size(char text[static UNITS_TEXT_SIZE], uint64_t bytes)
{
    return put_exact(text, bytes, sizes, SIZE_COUNT);
}

const char *units_about_duration(char text[static UNITS_TEXT_SIZE], int64_t ns)
{
    return put_about(text, ns < 0 ? 0 : (uint64_t)ns, durations, DURATION_COUNT);
}

const char *units_about_size(char text[static UNITS_TEXT_SIZE], uint64_t bytes)
{
    return put_about(text, bytes, sizes, SIZE_COUNT);
}
