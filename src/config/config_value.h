/* One scalar of the configuration: text to the type that its field says. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_VALUE_H
#define CONFIG_CONFIG_VALUE_H

#include "base/why.h"
#include "config/config_table.h"

/*
 * Writes to values + field->offset; TEXT keeps the pointer. CONFIG with the reason: what it is not, what
 * would do.
 */
enum err config_value_read(const struct config_field *field, const char *text, void *values, struct why *why)
    MUST_CHECK;

/* "a size from 4KiB to 64MiB": what a field takes, for messages and for the reference. Returns `text`. */
const char *config_value_describe(const struct config_field *field, char text[static 256]);

/* The word of an ENUM's value. */
struct span config_choice(const char *choices, unsigned value);

/* host:port with a name, an IPv4 address, or an IPv6 address in brackets. */
bool config_address_parse(const char *text, struct config_address *ret_address);
bool config_address_is_loopback(const struct config_address *address);

#endif
