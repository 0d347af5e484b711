/* A door of the configuration made ready to be opened on every loop: its socket, its name, its settings. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_DOOR_PLAN_H
#define APP_DOOR_PLAN_H

#include "base/why.h"
#include "config/config.h"
#include "door/produce_settings.h"
#include "io/listen_socket.h"
#include "store/store.h"

struct door_plan {
    const struct config_door *config;
    struct listen_socket socket;
    struct tls_context *tls; /* its own reference; NULL: the door is plain */
    char name[320];          /* "produce 127.0.0.1:5673", for logs */
    struct produce_settings settings;
    struct produce_route *routes; /* of the settings */
};

struct door_plans {
    struct door_plan *plans;
    uint32_t count;
};

/* Binds every door's socket; nobody is answered yet. The configuration must outlive the plans. */
enum err door_plans_open(struct door_plans *plans, const struct config *config, struct why *why) MUST_CHECK;
void door_plans_close(struct door_plans *plans);

enum { DOOR_ADDRESS_SIZE = 280 };

/* HOST:PORT, or [HOST]:PORT. */
void door_plan_address(char text[static DOOR_ADDRESS_SIZE],
                       const struct config_address *address,
                       uint16_t port);

/* What a produce door will be told; *ret_routes is the caller's to free, and may be NULL. */
enum err door_plan_settings(const struct config *config,
                            const struct config_door *door,
                            struct produce_settings *ret_settings,
                            struct produce_route **ret_routes) MUST_CHECK;

#endif
