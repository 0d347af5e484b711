/* The table behind the codes of the line protocol. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line_error.h"

#include "base/check.h"

#define CLASS_RETRY "retry"
#define CLASS_FINAL "final"

struct row {
    const char *code;
    const char *class;
    const char *reason;
    const char *text;
};

static const struct row rows[LINE_ERROR_COUNT] = {
#define ROW(id, class, reason, text) [LINE_ERROR_##id] = {#id, CLASS_##class, reason, text},
    LINE_ERROR_LIST(ROW)
#undef ROW
};

static const struct row *row_of(enum line_error error)
{
    check(error > LINE_ERROR_NONE && error < LINE_ERROR_COUNT);
    return &rows[error];
}

const char *line_error_code(enum line_error error)
{
    return row_of(error)->code;
}

const char *line_error_reason(enum line_error error)
{
    return row_of(error)->reason;
}

const char *line_error_text(enum line_error error)
{
    return row_of(error)->text;
}

const char *line_error_class(enum line_error error)
{
    return row_of(error)->class;
}
