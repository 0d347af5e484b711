/* UTF-8, checked by the table of RFC 3629 section 4. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "base/check.h"

static bool is_within(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

/* The first continuation byte has narrower bounds after four of the leading bytes; all others are 80..BF. */
static bool second_is_legal(uint8_t lead, uint8_t second)
{
    switch (lead) {
    case 0xe0: return is_within(second, 0xa0, 0xbf);
    case 0xed: return is_within(second, 0x80, 0x9f);
    case 0xf0: return is_within(second, 0x90, 0xbf);
    case 0xf4: return is_within(second, 0x80, 0x8f);
    default: return is_within(second, 0x80, 0xbf);
    }
}

static size_t len_by_lead(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (is_within(lead, 0xc2, 0xdf))
        return 2;
    if (is_within(lead, 0xe0, 0xef))
        return 3;
    return is_within(lead, 0xf0, 0xf4) ? 4 : 0;
}

size_t utf8_character_len(struct span bytes)
{
    if (bytes.len == 0)
        return 0;
    size_t len = len_by_lead(bytes.data[0]);
    if (len > bytes.len || (len > 1 && !second_is_legal(bytes.data[0], bytes.data[1])))
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!is_within(bytes.data[i], 0x80, 0xbf))
            return 0;
    return len;
}

bool utf8_is_valid(struct span bytes)
{
    while (bytes.len > 0) {
        size_t len = utf8_character_len(bytes);
        if (len == 0)
            return false;
        bytes = span_after(bytes, len);
    }
    return true;
}

size_t utf8_put(uint8_t to[static 4], uint32_t code_point)
{
    check(code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff));
    if (code_point < 0x80) {
        to[0] = (uint8_t)code_point;
        return 1;
    }
    size_t len = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, code_point >>= 6)
        to[i] = (uint8_t)(0x80 | (code_point & 0x3f));
    to[0] = (uint8_t)(leads[len] | code_point);
    return len;
}
