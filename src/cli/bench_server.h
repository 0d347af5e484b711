/* A Waybill of the load generator's own, on a directory that is removed with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_SERVER_H
#define CLI_BENCH_SERVER_H

#include <sys/types.h>

#include "base/why.h"

enum { BENCH_ADDRESS_SIZE = 32, BENCH_PATH_SIZE = 1024 };

struct bench_server {
    char directory[BENCH_PATH_SIZE];
    char data[BENCH_PATH_SIZE];
    char config[BENCH_PATH_SIZE];
    char log[BENCH_PATH_SIZE];
    char produce[BENCH_ADDRESS_SIZE];
    char acks[BENCH_ADDRESS_SIZE];
    pid_t pid; /* 0: none */
};

/*
 * Starts this very program below `parent`, with the doors produce (everything into the topic `bench`) and acks and
 * a log small enough to recycle its segments soon, and waits until it answers.
 */
enum err bench_server_start(struct bench_server *server, const char *parent, struct why *why) MUST_CHECK;
/* Ends it and removes its directory; also after a start that failed. */
void bench_server_stop(struct bench_server *server);

#endif
