/* waybill deadletters replay: begins a replay, and follows it to its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LETTER_REPLAY_H
#define CLI_LETTER_REPLAY_H

#include "cli/control_client.h"
#include "cli/letter_options.h"

/* An exit code: fine when all that was wanted was processed. */
int letter_replay_run(struct control_client *client, const struct letter_options *options);
/* The same for lines that had no route. */
int letter_reroute_run(struct control_client *client, const struct letter_options *options);

/* A row of `deadletters replays`. */
void letter_replay_print(struct span line);

#endif
