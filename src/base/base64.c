/* Three bytes become four characters. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

uint8_t *base64_put(uint8_t *to, struct span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; bytes.len > 0; to += 4) {
        size_t taken = bytes.len < 3 ? bytes.len : 3;
        uint32_t group = (uint32_t)bytes.data[0] << 16;
        group |= taken > 1 ? (uint32_t)bytes.data[1] << 8 : 0;
        group |= taken > 2 ? bytes.data[2] : 0;
        to[0] = (uint8_t)digits[group >> 18];
        to[1] = (uint8_t)digits[group >> 12 & 63];
        to[2] = taken > 1 ? (uint8_t)digits[group >> 6 & 63] : '=';
        to[3] = taken > 2 ? (uint8_t)digits[group & 63] : '=';
        bytes = span_after(bytes, taken);
    }
    return to;
}
