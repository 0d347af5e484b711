/* Tests of the circuit breaker. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery/breaker.h"

#include "support/test.h"

TEST(opens_after_so_many_failures_in_a_row)
{
    struct breaker breaker;
    breaker_init(&breaker, 3, 100);
    expect(!breaker_note_failure(&breaker, 0));
    expect(!breaker_note_failure(&breaker, 1));
    expect(!breaker_note_success(&breaker)); /* the row is broken */
    expect(!breaker_note_failure(&breaker, 2));
    expect(!breaker_note_failure(&breaker, 3));
    expect(breaker_admits(&breaker, 3));
    expect(breaker_note_failure(&breaker, 4));
    expect(!breaker_admits(&breaker, 4));
}

TEST(lets_one_try_through_at_a_time_when_it_is_due)
{
    struct breaker breaker;
    breaker_init(&breaker, 1, 100);
    expect(breaker_note_failure(&breaker, 0));
    expect(!breaker_admits(&breaker, 99));
    expect(breaker_admits(&breaker, 100));
    expect(!breaker_admits(&breaker, 100));
    expect(!breaker_note_failure(&breaker, 150)); /* it was open all the time */
    expect(!breaker_admits(&breaker, 249));
    expect(breaker_admits(&breaker, 250));
    expect(breaker_note_success(&breaker));
    expect(breaker_admits(&breaker, 250));
}

TEST(a_late_success_of_an_earlier_try_closes_it)
{
    struct breaker breaker;
    breaker_init(&breaker, 1, 100);
    expect(breaker_note_failure(&breaker, 0));
    expect(breaker_note_success(&breaker));
    expect(breaker_admits(&breaker, 1));
}

TEST_MAIN(opens_after_so_many_failures_in_a_row,
          lets_one_try_through_at_a_time_when_it_is_due,
          a_late_success_of_an_earlier_try_closes_it)
