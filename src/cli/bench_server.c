/* It runs as a process of its own, so that its memory and its time are not the generator's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bench_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/bench_end.h"
#include "cli/bench_socket.h"
#include "cli/control_client.h"

#define START_LIMIT_NS (20 * CLOCK_NS_PER_S)

enum { OPEN_FOLDERS_MAX = 16 };

static const char configuration[] = "data: \"%s\"\n"
                                    "log: { size_max: 1GiB }\n"
                                    "topics: { defaults: { retention: { size: 512MiB } } }\n"
                                    "doors:\n"
                                    "  - { kind: line, serve: produce, listen: \"%s\", topic: bench }\n"
                                    "  - { kind: line, serve: acks, listen: \"%s\" }\n";

/* False: the path is too long. */
static bool name_paths(struct bench_server *server)
{
    const char *directory = server->directory;
    return snprintf(server->data, BENCH_PATH_SIZE, "%s/data", directory) < BENCH_PATH_SIZE &&
           snprintf(server->config, BENCH_PATH_SIZE, "%s/waybill.yaml", directory) < BENCH_PATH_SIZE &&
           snprintf(server->log, BENCH_PATH_SIZE, "%s/waybill.log", directory) < BENCH_PATH_SIZE;
}

static enum err choose_address(char address[static BENCH_ADDRESS_SIZE])
{
    uint16_t port = 0;
    enum err err = bench_socket_free_port(&port);
    (void)snprintf(address, BENCH_ADDRESS_SIZE, "127.0.0.1:%u", port);
    return err;
}

static enum err write_configuration(struct bench_server *server)
{
    enum err err = choose_address(server->produce);
    if (err == ERR_NONE)
        err = choose_address(server->acks);
    if (err != ERR_NONE)
        return err;
    FILE *file = fopen(server->config, "we");
    if (file == NULL)
        return err_from_errno(errno);
    bool is_written = fprintf(file, configuration, server->data, server->produce, server->acks) > 0;
    return fclose(file) == 0 && is_written ? ERR_NONE : ERR_IO;
}

/* The child's part: never returns. */
static _Noreturn void become_server(struct bench_server *server)
{
    static char name[] = "waybill";
    static char verb[] = "serve";
    static char flag[] = "-c";
    char *const words[] = {name, verb, flag, server->config, NULL};
    int log = open(server->log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (log >= 0 && dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0)
        (void)execv("/proc/self/exe", words);
    _exit(1);
}

/* Whether it has answered a question. */
static bool answers(struct bench_server *server)
{
    struct control_client client;
    if (control_client_open(&client, server->data, NULL) != ERR_NONE)
        return false;
    enum err err = control_client_ask(&client, span_from_text("{\"op\":\"status\"}"), NULL, NULL, NULL);
    control_client_close(&client);
    return err == ERR_NONE;
}

/* The log goes with the directory, so its end is told. */
static enum err tell_last_words(struct bench_server *server, struct why *why)
{
    char line[sizeof why->text] = "";
    FILE *log = fopen(server->log, "re");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        continue;
    if (log != NULL)
        (void)fclose(log);
    return why_set(why, ERR_SYSTEM, "the server ended at once: %.*s", (int)strcspn(line, "\n"), line);
}

static enum err wait_until_it_answers(struct bench_server *server, struct why *why)
{
    int64_t limit_ns = clock_now_ns(clock_linux()) + START_LIMIT_NS;
    while (!answers(server)) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return tell_last_words(server, why);
        }
        if (clock_now_ns(clock_linux()) > limit_ns || bench_is_interrupted())
            return why_set(why, ERR_TIMED_OUT, "the server did not start in time");
        (void)nanosleep(&(struct timespec){.tv_nsec = CLOCK_NS_PER_MS}, NULL);
    }
    return ERR_NONE;
}

enum err bench_server_start(struct bench_server *server, const char *parent, struct why *why)
{
    *server = (struct bench_server){0};
    char *absolute = realpath(parent, NULL);
    if (absolute == NULL)
        return why_set(why, err_from_errno(errno), "%s: %s", parent, err_text(err_from_errno(errno)));
    int len = snprintf(server->directory, BENCH_PATH_SIZE, "%s/waybill-bench-XXXXXX", absolute);
    free(absolute);
    if (len >= BENCH_PATH_SIZE || mkdtemp(server->directory) == NULL) {
        server->directory[0] = '\0';
        return why_set(why, ERR_SYSTEM, "%s: no directory can be made there", parent);
    }
    enum err err = name_paths(server) ? write_configuration(server) : ERR_TOO_LARGE;
    if (err != ERR_NONE)
        return why_set(why, err, "%s: %s", server->directory, err_text(err));
    server->pid = fork();
    if (server->pid == 0)
        become_server(server);
    if (server->pid < 0)
        return why_set(why, ERR_SYSTEM, "no process can be made");
    return wait_until_it_answers(server, why);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void bench_server_stop(struct bench_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGTERM);
        (void)waitpid(server->pid, NULL, 0);
    }
    server->pid = 0;
    if (server->directory[0] != '\0')
        (void)nftw(server->directory, remove_one, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS);
    server->directory[0] = '\0';
}
