/* Tests of errors, their words, and the text for people beside them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>

#include "base/why.h"
#include "support/test.h"

TEST(every_error_has_name_and_text)
{
    for (int i = 0; i < ERR_COUNT; i++) {
        expect(strlen(err_name((enum err)i)) > 1);
        expect(strlen(err_text((enum err)i)) > 3);
    }
    expect_equal_text(err_name(ERR_FULL), "FULL");
    expect(err_class(ERR_FULL) == ERR_CLASS_RETRY_LATER);
}

TEST(system_numbers_become_errors)
{
    expect_err(err_from_errno(0), ERR_NONE);
    expect_err(err_from_errno(ENOSPC), ERR_NO_SPACE);
    expect_err(err_from_errno(EDQUOT), ERR_NO_SPACE);
    expect_err(err_from_errno(EIO), ERR_IO);
    expect_err(err_from_errno(ENOTTY), ERR_SYSTEM);
}

TEST(reason_is_set_prefixed_and_never_too_long)
{
    struct why why;
    expect_err(why_set(&why, ERR_IO, "at %d", 7), ERR_IO);
    why_prefix(&why, "segment %s: ", "a");
    expect_equal_text(why.text, "segment a: at 7");
    for (int i = 0; i < 100; i++)
        why_prefix(&why, "0123456789");
    expect_equal_u64(strlen(why.text), sizeof why.text - 1);
    expect_err(why_set(NULL, ERR_IO, "nobody asks"), ERR_IO);
    why_prefix(NULL, "nobody asks");
}

TEST_MAIN(every_error_has_name_and_text,
          system_numbers_become_errors,
          reason_is_set_prefixed_and_never_too_long)
