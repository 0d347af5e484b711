/* An entry of zeros at the end of a buffer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/checkpoint_entry.h"

#include "base/bytes.h"

uint8_t *checkpoint_put_entry(struct buffer *buffer, enum checkpoint_entry type, size_t len)
{
    if (buffer_reserve(buffer, CHECKPOINT_ENTRY_HEADER + len) != ERR_NONE)
        return NULL;
    uint8_t *at = buffer->data + buffer->len;
    memset(at, 0, CHECKPOINT_ENTRY_HEADER + len);
    at[0] = (uint8_t)type;
    bytes_put_le32(at + 4, (uint32_t)len);
    buffer->len += CHECKPOINT_ENTRY_HEADER + len;
    return at + CHECKPOINT_ENTRY_HEADER;
}
