/* Reads a door's certificate files. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "app/door_tls.h"

#include <string.h>

enum err door_tls_open(const struct config_door *door,
                       struct clock *clock,
                       struct door_tls_fault *ret_fault,
                       struct why *why,
                       struct tls_context **ret_tls)
{
    struct tls_settings settings = {.cert = door->tls.cert,
                                    .key = door->tls.key,
                                    .client_ca = door->client_ca,
                                    .client_cert_is_optional = door->client_cert == CONFIG_OPTIONAL};
    const char *setting = NULL;
    struct tls_context *tls = NULL;
    enum err err = ERR_NONE;
    if (door->tls.node != NULL)
        err = tls_context_new(&settings, clock_wall_ns(clock), &setting, why, &tls);
    if (err == ERR_NONE)
        *ret_tls = tls;
    /* `client_ca` stands in the door itself, the others in its section `tls`. */
    if (err == ERR_CONFIG)
        *ret_fault =
            (struct door_tls_fault){strcmp(setting, "client_ca") == 0 ? door->node : door->tls.node, setting};
    return err;
}
