/* Loopback in practice: names are not looked up. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* False: not HOST:PORT with an IPv4 address. */
static bool parse(const char *text, struct sockaddr_in *ret_address)
{
    char host[INET_ADDRSTRLEN];
    struct span address = span_from_text(text);
    size_t colon = span_find(address, ':');
    uint64_t port = 0;
    if (colon >= sizeof host || colon == address.len || !span_to_u64(span_after(address, colon + 1), &port) ||
        port > UINT16_MAX)
        return false;
    memcpy(host, text, colon);
    host[colon] = '\0';
    *ret_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return inet_pton(AF_INET, host, &ret_address->sin_addr) == 1;
}

static enum err connect_to(const char *address, struct why *why, int *ret_fd)
{
    struct sockaddr_in target;
    int yes = 1;
    if (!parse(address, &target))
        return why_set(why, ERR_BAD_INPUT, "%s: this takes an IPv4 address and a port: 127.0.0.1:5673",
                       address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return why_set(why, err_from_errno(errno), "no socket: %s", err_text(err_from_errno(errno)));
    if (connect(fd, (const struct sockaddr *)&target, sizeof target) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0) {
        *ret_fd = fd;
        return ERR_NONE;
    }
    enum err err = errno == ECONNREFUSED ? ERR_CLOSED : err_from_errno(errno);
    (void)close(fd);
    if (err == ERR_CLOSED)
        return why_set(why, err,
                       "nobody listens on %s: start `waybill serve`, or let `waybill bench` start its own",
                       address);
    return why_set(why, err, "%s: %s", address, err_text(err));
}

enum err bench_socket_open(struct bench_socket *socket,
                           const char *address,
                           const struct bench_trust *trust,
                           struct why *why)
{
    *socket = (struct bench_socket){.fd = -1};
    enum err err = connect_to(address, why, &socket->fd);
    if (err != ERR_NONE || trust->context == NULL)
        return err;
    err = tls_client_new(socket->fd, trust->context, trust->name, why, &socket->tls);
    if (err != ERR_NONE) {
        why_prefix(why, "%s: ", address);
        bench_socket_close(socket);
    }
    return err;
}

void bench_socket_close(struct bench_socket *socket)
{
    socket->tls = tls_client_free(socket->tls);
    if (socket->fd >= 0)
        (void)close(socket->fd);
    socket->fd = -1;
}

void bench_socket_unblock(struct bench_socket *socket)
{
    int flags = fcntl(socket->fd, F_GETFL);
    check(flags >= 0 && fcntl(socket->fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

enum err bench_socket_send(struct bench_socket *socket, struct span bytes, size_t *ret_len)
{
    *ret_len = 0;
    if (socket->tls != NULL)
        return tls_client_write(socket->tls, bytes, ret_len);
    if (bytes.len == 0)
        return ERR_NONE;
    ssize_t put;
    do {
        put = send(socket->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
    } while (put < 0 && errno == EINTR);
    if (put < 0)
        return err_from_errno(errno);
    *ret_len = (size_t)put;
    return ERR_NONE;
}

enum err bench_socket_write(struct bench_socket *socket, struct span bytes)
{
    enum err err = ERR_NONE;
    while (bytes.len > 0 && err == ERR_NONE) {
        size_t len = 0;
        err = bench_socket_send(socket, bytes, &len);
        bytes = span_after(bytes, len);
    }
    return err;
}

enum err bench_socket_read(struct bench_socket *socket, uint8_t *to, size_t size, size_t *ret_len)
{
    if (socket->tls != NULL)
        return tls_client_read(socket->tls, to, size, ret_len);
    ssize_t got;
    do {
        got = recv(socket->fd, to, size, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_from_errno(errno);
    *ret_len = (size_t)got;
    return got == 0 ? ERR_CLOSED : ERR_NONE;
}

void bench_socket_finish(struct bench_socket *socket)
{
    if (socket->tls == NULL)
        (void)shutdown(socket->fd, SHUT_WR);
    else if (tls_client_finish(socket->tls) != ERR_NONE)
        return; /* it is full, and will be asked again; or gone, and reading tells */
}

enum err bench_socket_free_port(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_from_errno(errno);
    bool is_bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                    getsockname(fd, (struct sockaddr *)&address, &len) == 0;
    (void)close(fd);
    *ret_port = ntohs(address.sin_port);
    return is_bound ? ERR_NONE : ERR_SYSTEM;
}
