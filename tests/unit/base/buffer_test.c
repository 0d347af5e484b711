/* Tests of the buffer: growth, its ceiling, consumption. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include "support/test.h"

TEST(growth_stops_at_the_maximum_and_changes_nothing)
{
    struct buffer buffer;
    buffer_init(&buffer, 100);
    for (int i = 0; i < 10; i++)
        expect_fine(buffer_append_text(&buffer, "0123456789"));
    expect_equal_u64(buffer.size, 100);
    expect_err(buffer_append_text(&buffer, "x"), ERR_TOO_LARGE);
    expect_err(buffer_reserve(&buffer, SIZE_MAX), ERR_TOO_LARGE);
    expect_equal_u64(buffer.len, 100);
    buffer_done(&buffer);
}

TEST(consumed_bytes_leave_the_front)
{
    struct buffer buffer;
    buffer_init(&buffer, 100);
    expect_fine(buffer_append_text(&buffer, "abcdef"));
    buffer_consume(&buffer, 2);
    expect_span_is(buffer_span(&buffer), "cdef");
    buffer_consume(&buffer, 4);
    expect_equal_u64(buffer.len, 0);
    buffer_consume(&buffer, 0);
    buffer_done(&buffer);
}

TEST(formatted_text_needs_room_for_its_end)
{
    struct buffer buffer;
    buffer_init(&buffer, 8);
    expect_fine(buffer_printf(&buffer, "%d-%s", 12, "abc"));
    expect_span_is(buffer_span(&buffer), "12-abc");
    expect_fine(buffer_printf(&buffer, "%c", 'd'));
    expect_err(buffer_printf(&buffer, "%c", 'e'), ERR_TOO_LARGE);
    buffer_clear(&buffer);
    expect_span_is(buffer_span(&buffer), "");
    expect(buffer.size > 0);
    buffer_release(&buffer);
    expect_equal_u64(buffer.size, 0);
    expect_fine(buffer_append_text(&buffer, "again"));
    buffer_done(&buffer);
}

TEST_MAIN(growth_stops_at_the_maximum_and_changes_nothing,
          consumed_bytes_leave_the_front,
          formatted_text_needs_room_for_its_end)
