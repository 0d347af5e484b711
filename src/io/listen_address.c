/* Names and numbers to socket addresses, and their comparison. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

enum { HOST_MAX = 255 };

/* "host:port" or "[host]:port", cut into two texts. */
static bool split_address(const char *text, char host[static HOST_MAX + 1], const char **ret_port)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon[1] == '\0')
        return false;
    size_t len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && colon[-1] == ']') {
        text++;
        len -= 2;
    }
    if (len == 0 || len > HOST_MAX)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    *ret_port = colon + 1;
    return true;
}

enum err listen_address_resolve(const char *text, struct listen_address *ret_address, struct why *why)
{
    char host[HOST_MAX + 1];
    const char *port = NULL;
    if (!split_address(text, host, &port))
        return why_set(why, ERR_BAD_INPUT, "%s: an address is HOST:PORT, [HOST]:PORT, or a path with a /",
                       text);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int result = getaddrinfo(host, port, &hints, &found);
    if (result != 0)
        return why_set(why, ERR_BAD_INPUT, "%s: %s", text, gai_strerror(result));
    *ret_address = (struct listen_address){.len = found->ai_addrlen};
    memcpy(&ret_address->name, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return ERR_NONE;
}

static struct sockaddr_in6 ipv6_of(const struct listen_address *address)
{
    struct sockaddr_in6 in6;
    memcpy(&in6, &address->name, sizeof in6);
    return in6;
}

/* As IPv6 writes it: ::ffff:127.0.0.1. */
static struct sockaddr_in6 mapped(const struct listen_address *address)
{
    struct sockaddr_in in;
    if (address->name.ss_family != AF_INET)
        return ipv6_of(address);
    memcpy(&in, &address->name, sizeof in);
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = in.sin_port};
    in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(in6.sin6_addr.s6_addr + 12, &in.sin_addr, 4);
    return in6;
}

bool listen_address_is_loopback(const struct listen_address *address)
{
    struct sockaddr_in6 in6 = mapped(address);
    if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
        return in6.sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

/* Whether a socket on `one` takes what is meant for `other`. */
static bool stands_for(const struct in6_addr *one, const struct in6_addr *other)
{
    static const uint8_t any_ipv4[16] = {[10] = 0xff, [11] = 0xff};
    bool is_any_ipv4 = memcmp(one->s6_addr, any_ipv4, sizeof any_ipv4) == 0;
    return IN6_IS_ADDR_UNSPECIFIED(one) || (is_any_ipv4 && IN6_IS_ADDR_V4MAPPED(other));
}

bool listen_addresses_meet(const struct listen_address *one, const struct listen_address *other)
{
    struct sockaddr_in6 first = mapped(one);
    struct sockaddr_in6 second = mapped(other);
    if (first.sin6_port == 0 || first.sin6_port != second.sin6_port)
        return false;
    bool is_same = IN6_ARE_ADDR_EQUAL(&first.sin6_addr, &second.sin6_addr) &&
                   first.sin6_scope_id == second.sin6_scope_id;
    return is_same || stands_for(&first.sin6_addr, &second.sin6_addr) ||
           stands_for(&second.sin6_addr, &first.sin6_addr);
}
