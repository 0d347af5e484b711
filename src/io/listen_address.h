/* Where an address as a configuration writes it leads on this machine: resolved, before anything is bound. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IO_LISTEN_ADDRESS_H
#define IO_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/why.h"

struct listen_address {
    struct sockaddr_storage name;
    socklen_t len;
};

/* HOST:PORT or [HOST]:PORT; a name becomes the first of its addresses, and may ask a name server. BAD_INPUT. */
enum err
listen_address_resolve(const char *text, struct listen_address *ret_address, struct why *why) MUST_CHECK;
/* No other machine can reach it. */
bool listen_address_is_loopback(const struct listen_address *address);
/*
 * Whether only one of two sockets on them can listen: the same port, and one address is the other or stands for it as
 * 0.0.0.0 does for IPv4 and [::] for all. Port 0 is another one each time.
 */
bool listen_addresses_meet(const struct listen_address *one, const struct listen_address *other);

#endif
