/* Names, classes and texts of the errors. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>

struct err_row {
    const char *name;
    const char *text;
    enum err_class class;
};

static const struct err_row rows[ERR_COUNT] = {
#define ERR_ROW(name, class, text) {#name, text, ERR_CLASS_##class},
    ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

const char *err_name(enum err err)
{
    check(err < ERR_COUNT);
    return rows[err].name;
}

const char *err_text(enum err err)
{
    check(err < ERR_COUNT);
    return rows[err].text;
}

enum err_class err_class(enum err err)
{
    check(err < ERR_COUNT);
    return rows[err].class;
}

enum err err_from_errno(int number)
{
    switch (number) {
    case 0: return ERR_NONE;
    case EAGAIN: return ERR_AGAIN;
    case ENOMEM: return ERR_MEMORY;
    case EDQUOT:
    case ENOSPC: return ERR_NO_SPACE;
    case ENOENT: return ERR_NOT_FOUND;
    case EEXIST: return ERR_EXISTS;
    case EACCES:
    case EROFS:
    case EPERM: return ERR_ACCESS;
    case EADDRINUSE: return ERR_IN_USE;
    case EIO: return ERR_IO;
    case EPIPE:
    case ECONNRESET: return ERR_CLOSED;
    default: return ERR_SYSTEM;
    }
}
