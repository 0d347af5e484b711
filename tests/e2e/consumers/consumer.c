/* A member of a group in C, with nothing but a socket: consumer PORT TOPIC GROUP; says what it is done with before it is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void say_done(int door, const char *seq, size_t len)
{
    char text[128];
    int size = snprintf(text, sizeof text, "%.*s\n", (int)len, seq);
    if (write(STDOUT_FILENO, text, (size_t)size) != size)
        exit(1);
    size = snprintf(text, sizeof text, "DONE %.*s\n", (int)len, seq);
    if (send(door, text, (size_t)size, MSG_NOSIGNAL) != size)
        exit(0);
}

int main(int count, char **words)
{
    static char input[1 << 16];
    size_t len = 0;
    if (count != 4)
        return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(words[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int door = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(door, (struct sockaddr *)&address, sizeof address) != 0)
        return 1;
    dprintf(door, "SUBSCRIBE %s GROUP %s WINDOW 20\n", words[2], words[3]);
    for (ssize_t got; (got = recv(door, input + len, sizeof input - len, 0)) > 0;) {
        len += (size_t)got;
        char *line = input;
        for (char *end; (end = memchr(line, '\n', len - (size_t)(line - input))) != NULL; line = end + 1)
            say_done(door, line, strcspn(line, "|"));
        len -= (size_t)(line - input);
        memmove(input, line, len);
    }
    return 0;
}
