/* Decimal numbers in lines. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_number.h"

bool line_number_parse(struct span text, uint64_t *ret_number)
{
    uint64_t number;
    if (!span_to_u64(text, &number) || number == 0 || number > LINE_NUMBER_MAX)
        return false;
    *ret_number = number;
    return true;
}

struct span line_number_trim(struct span text)
{
    while (text.len > 1 && text.data[0] == '0')
        text = span_after(text, 1);
    return text;
}

uint8_t *line_number_put(uint8_t *to, uint64_t number)
{
    uint8_t digits[LINE_NUMBER_SIZE_MAX];
    size_t first = sizeof digits;
    do {
        digits[--first] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(to, digits + first, sizeof digits - first);
    return to + (sizeof digits - first);
}
