/* The last words of a program that met a bug of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "level=fatal room=base msg=\"check failed\" condition=\"%s\" at=%s:%d\n", condition,
                  file, line);
    abort();
}
