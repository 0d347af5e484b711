/* A blocking client: one request after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/control_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024 };

enum err control_client_open(struct control_client *client, const char *data, struct why *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *client = (struct control_client){.fd = -1};
    if (snprintf(address.sun_path, sizeof address.sun_path, "%s/waybill.sock", data) >=
        (int)sizeof address.sun_path)
        return why_set(why, ERR_TOO_LARGE, "the path of the data directory is too long: %s", data);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return why_set(why, err_from_errno(errno), "no socket: %s", err_text(err_from_errno(errno)));
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        buffer_init(&client->input, CONTROL_LINE_MAX);
        return ERR_NONE;
    }
    enum err err = errno == ENOENT || errno == ECONNREFUSED ? ERR_CLOSED : err_from_errno(errno);
    (void)close(client->fd);
    client->fd = -1;
    if (err == ERR_CLOSED)
        return why_set(
            why, err, "no program runs on %s: start `waybill serve`, or say which with --data DIR or -c FILE",
            data);
    return why_set(why, err, "%s: %s", address.sun_path, err_text(err));
}

void control_client_close(struct control_client *client)
{
    if (client->fd < 0)
        return;
    (void)close(client->fd);
    client->fd = -1;
    buffer_done(&client->input);
}

enum err control_client_write(struct control_client *client, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t put = send(client->fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_from_errno(errno);
        bytes = span_after(bytes, (size_t)put);
    }
    return ERR_NONE;
}

/* Reads more behind what is there; with MSG_DONTWAIT, AGAIN when nothing has come. */
static enum err receive(struct control_client *client, int flags)
{
    buffer_consume(&client->input, client->taken);
    client->taken = 0;
    enum err err = buffer_reserve(&client->input, READ_SIZE);
    if (err != ERR_NONE)
        return err;
    ssize_t got;
    do {
        got = recv(client->fd, client->input.data + client->input.len, READ_SIZE, flags);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_from_errno(errno);
    client->input.len += (size_t)got;
    return got == 0 ? ERR_CLOSED : ERR_NONE;
}

static enum err read_line(struct control_client *client, int flags, struct span *ret_line)
{
    for (;;) {
        struct span rest = span_after(buffer_span(&client->input), client->taken);
        size_t end = span_find(rest, '\n');
        if (end < rest.len) {
            *ret_line = span_of(rest.data, end);
            client->taken += end + 1;
            return ERR_NONE;
        }
        enum err err = receive(client, flags);
        if (err != ERR_NONE)
            return err;
    }
}

enum err control_client_read_line(struct control_client *client, struct span *ret_line)
{
    return read_line(client, 0, ret_line);
}

enum err control_client_poll_line(struct control_client *client, struct span *ret_line)
{
    return read_line(client, MSG_DONTWAIT, ret_line);
}

/* Looks for `ok` and, when it is false, for `text`. False: the line is not the last. */
static bool is_last(struct span line, bool *ret_ok, struct why *why)
{
    struct json_reader reader;
    bool found = false;
    json_reader_init(&reader, line);
    if (json_reader_next(&reader) != JSON_OBJECT_BEGIN)
        return false;
    while (json_reader_next(&reader) == JSON_NAME) {
        struct span name = json_reader_piece(&reader);
        if (!json_reader_skip(&reader))
            return false;
        struct span value = json_reader_piece(&reader);
        if (json_text_equal(name, "ok")) {
            found = true;
            *ret_ok = span_equal_text(value, "true");
        } else if (json_text_equal(name, "text")) {
            uint8_t text[sizeof why->text];
            size_t len = value.len < sizeof text ? json_text_resolve(value, text) : 0;
            (void)why_set(why, ERR_NONE, "%.*s", (int)len, (const char *)text);
        }
    }
    return found;
}

/* Records begin with a digit, so a line that begins with a brace is the last one. */
static size_t records_before_end(const struct control_client *client, struct span bytes)
{
    if (!client->is_inside_line && bytes.data[0] == '{')
        return 0;
    const uint8_t *end = memmem(bytes.data, bytes.len, "\n{", 2);
    return end == NULL ? bytes.len : (size_t)(end - bytes.data) + 1;
}

static enum err read_end(struct control_client *client, struct why *why)
{
    struct span line;
    bool is_ok = false;
    enum err err = control_client_read_line(client, &line);
    if (err == ERR_NONE && is_last(line, &is_ok, why))
        return is_ok ? ERR_CLOSED : ERR_IO;
    return why_set(why, ERR_PROTOCOL, "the end of the records cannot be read");
}

enum err control_client_read_records(struct control_client *client, struct span *ret_bytes, struct why *why)
{
    enum err err = client->taken == client->input.len ? receive(client, 0) : ERR_NONE;
    if (err != ERR_NONE)
        return why_set(why, ERR_IO, "the program went away in the middle of the records");
    struct span bytes = span_after(buffer_span(&client->input), client->taken);
    size_t len = records_before_end(client, bytes);
    if (len == 0)
        return read_end(client, why);
    client->is_inside_line = bytes.data[len - 1] != '\n';
    client->taken += len;
    *ret_bytes = span_of(bytes.data, len);
    return ERR_NONE;
}

enum err control_client_ask(struct control_client *client,
                            struct span request,
                            void (*on_line)(void *owner, struct span line),
                            void *owner,
                            struct why *why)
{
    enum err err = control_client_write(client, request);
    if (err == ERR_NONE)
        err = control_client_write(client, span_from_text("\n"));
    while (err == ERR_NONE) {
        struct span line;
        bool is_ok = false;
        err = control_client_read_line(client, &line);
        if (err != ERR_NONE)
            break;
        if (is_last(line, &is_ok, why))
            return is_ok ? ERR_NONE : ERR_BAD_INPUT;
        if (on_line != NULL)
            on_line(owner, line);
    }
    return why_set(why, err, "the program did not answer: %s", err_text(err));
}
