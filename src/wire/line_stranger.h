/* Recognises peers that speak another protocol to a line port. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_LINE_STRANGER_H
#define WIRE_LINE_STRANGER_H

#include "base/span.h"

/* For the first bytes of a connection, a whole line or less: what the peer seems to speak, for the log, or NULL. */
const char *line_stranger(struct span bytes);

#endif
