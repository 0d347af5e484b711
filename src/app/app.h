/* The running program: rooms built from a configuration, run until a signal, drained. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APP_APP_H
#define APP_APP_H

#include "base/why.h"
#include "config/config.h"

/*
 * `path` is the configuration's file, which SIGHUP reads again; NULL: there is none. Runs on the calling thread until SIGTERM or SIGINT, drains, and returns NONE. An error means that it did
 * not start;
 * the reason is for people. Signals, standard error and limits of the process are its own from then on.
 */
enum err app_run(const struct config *config, const char *path, struct why *why) MUST_CHECK;

#endif
