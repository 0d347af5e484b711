/* A bound socket that listeners accept from. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/listen_address.h"

enum { KEEPALIVE_IDLE_S = 60 };

static enum err refuse(struct why *why, const char *address, const char *what)
{
    int number = errno;
    enum err err = number == EADDRINUSE ? ERR_IN_USE : err_from_errno(number);
    return why_set(why, err, "%s: %s: %s", address, what, strerror(number));
}

/* --- TCP ---------------------------------------------------------------------------------------- */

/* Accepted sockets inherit these: answers leave at once, and a peer that lost its power is noticed. */
static bool set_tcp_options(int fd)
{
    const int on = 1;
    const int idle_s = KEEPALIVE_IDLE_S;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s)) == 0;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    struct sockaddr_in in; /* the port stands at the same place for IPv6 */
    memcpy(&in, &address, sizeof(in));
    return ntohs(in.sin_port);
}

static enum err open_tcp(struct listen_socket *self, const char *text, struct why *why)
{
    struct listen_address address;
    enum err err = listen_address_resolve(text, &address, why);
    if (err != ERR_NONE)
        return err;
    self->is_loopback = listen_address_is_loopback(&address);
    self->fd = socket(address.name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool is_bound = self->fd >= 0 && set_tcp_options(self->fd) &&
                    bind(self->fd, (const struct sockaddr *)&address.name, address.len) == 0;
    if (!is_bound)
        return refuse(why, text, "cannot bind");
    self->port = port_of(self->fd);
    return ERR_NONE;
}

/* --- unix --------------------------------------------------------------------------------------- */

/* Removes what a dead process left: a socket that refuses connections. */
static enum err remove_stale(const struct sockaddr_un *name, struct why *why)
{
    struct stat status;
    if (lstat(name->sun_path, &status) != 0)
        return errno == ENOENT ? ERR_NONE : refuse(why, name->sun_path, "cannot look at it");
    if (!S_ISSOCK(status.st_mode))
        return why_set(why, ERR_EXISTS, "%s: exists and is not a socket; remove it", name->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refuse(why, name->sun_path, "no socket");
    bool is_stale = connect(fd, (const struct sockaddr *)name, sizeof(*name)) != 0 && errno == ECONNREFUSED;
    close(fd);
    if (!is_stale)
        return why_set(why, ERR_IN_USE, "%s: another process listens on it", name->sun_path);
    return unlink(name->sun_path) == 0 ? ERR_NONE : refuse(why, name->sun_path, "cannot remove it");
}

static enum err open_unix(struct listen_socket *self, const char *path, struct why *why)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(name.sun_path))
        return why_set(why, ERR_TOO_LARGE, "%s: longer than the %zu bytes of a unix socket's path", path,
                       sizeof(name.sun_path) - 1);
    snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    enum err err = remove_stale(&name, why);
    if (err != ERR_NONE)
        return err;
    self->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* Linux gives the file the descriptor's mode: so it is never open to others, not even for a moment. */
    bool is_bound = self->fd >= 0 && fchmod(self->fd, S_IRUSR | S_IWUSR) == 0 &&
                    bind(self->fd, (const struct sockaddr *)&name, sizeof(name)) == 0;
    if (!is_bound)
        return refuse(why, path, "cannot bind");
    self->is_loopback = true;
    snprintf(self->path, sizeof(self->path), "%s", path);
    return ERR_NONE;
}

enum err listen_socket_open(struct listen_socket *self, const char *address, struct why *why)
{
    *self = (struct listen_socket){.fd = -1};
    bool is_path = strchr(address, '/') != NULL;
    enum err err = is_path ? open_unix(self, address, why) : open_tcp(self, address, why);
    if (err != ERR_NONE)
        listen_socket_close(self);
    return err;
}

void listen_socket_close(struct listen_socket *self)
{
    if (self->path[0] != '\0')
        unlink(self->path);
    self->path[0] = '\0';
    if (self->fd >= 0)
        close(self->fd);
    self->fd = -1;
}
