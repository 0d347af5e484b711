/* Typed values, with the sentences that refuse the others. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/units.h"

bool config_address_parse(const char *text, struct config_address *ret_address)
{
    struct config_address address = {0};
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (colon == NULL || !span_to_u64(span_from_text(colon + 1), &port) || port > UINT16_MAX)
        return false;
    struct span host = span_of(text, (size_t)(colon - text));
    bool has_brackets = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    if (has_brackets)
        host = span_of(host.data + 1, host.len - 2);
    if (host.len == 0 || host.len >= sizeof address.host || span_find(host, '[') < host.len ||
        (span_find(host, ':') < host.len) != has_brackets)
        return false;
    memcpy(address.host, host.data, host.len);
    address.port = (uint16_t)port;
    *ret_address = address;
    return true;
}

bool config_address_is_loopback(const struct config_address *address)
{
    return strncmp(address->host, "127.", 4) == 0 || strcmp(address->host, "::1") == 0 ||
           strcmp(address->host, "localhost") == 0;
}

struct span config_choice(const char *choices, unsigned value)
{
    struct span rest = span_from_text(choices);
    struct span word = span_take_word(&rest);
    while (value-- > 0)
        word = span_take_word(&rest);
    return word;
}

static const char *
put_bound(const struct config_field *field, char text[static UNITS_TEXT_SIZE], uint64_t bound)
{
    if (field->kind == CONFIG_SIZE)
        return units_put_size(text, bound);
    if (field->kind == CONFIG_DURATION)
        return units_put_duration(text, (int64_t)bound);
    (void)snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64, bound);
    return text;
}

/* "produce, acks or status" */
static void put_choices(char text[static 256], const char *choices)
{
    struct span rest = span_from_text(choices);
    size_t at = 0;
    for (struct span word = span_take_word(&rest); word.len > 0;) {
        struct span next = span_take_word(&rest);
        const char *joint = at == 0 ? "" : next.len == 0 ? " or " : ", ";
        at += (size_t)snprintf(text + at, 256 - at, "%s%.*s", joint, (int)word.len, (const char *)word.data);
        check(at < 256);
        word = next;
    }
}

const char *config_value_describe(const struct config_field *field, char text[static 256])
{
    static const char *const names[] = {
        [CONFIG_TEXT] = "text",
        [CONFIG_SECRET] = "a secret",
        [CONFIG_BOOL] = "true or false",
        [CONFIG_COUNT] = "a whole number",
        [CONFIG_SIZE] = "a size",
        [CONFIG_DURATION] = "a duration",
        [CONFIG_SHARE] = "a number from 0 to 1",
        [CONFIG_ADDRESS] = "host:port",
        [CONFIG_SECTION] = "a section",
        [CONFIG_SECTIONS] = "a list",
        [CONFIG_NAMED] = "a map by name",
        [CONFIG_WORDS] = "a list of names",
        [CONFIG_LATER] = "later",
    };
    if (field->kind == CONFIG_ENUM) {
        put_choices(text, field->choices);
        return text;
    }
    char low[UNITS_TEXT_SIZE];
    char high[UNITS_TEXT_SIZE];
    if (field->max > 0)
        (void)snprintf(text, 256, "%s from %s to %s", names[field->kind], put_bound(field, low, field->min),
                       put_bound(field, high, field->max));
    else
        (void)snprintf(text, 256, "%s", names[field->kind]);
    return text;
}

static enum err refuse(const struct config_field *field, const char *text, struct why *why)
{
    char takes[256];
    static const char size_hint[] = ", with its unit (B, KiB, MiB, GiB, TiB)";
    static const char duration_hint[] = ", with its unit (ns, us, ms, s, m, h, d)";
    const char *hint = field->kind == CONFIG_SIZE       ? size_hint
                       : field->kind == CONFIG_DURATION ? duration_hint
                                                        : "";
    return why_set(why, ERR_CONFIG, "`%s: %.100s`: this takes %s%s", field->name, text,
                   config_value_describe(field, takes), hint);
}

static bool read_bool(const char *text, bool *ret_value)
{
    bool is_true = strcmp(text, "true") == 0 || strcmp(text, "on") == 0;
    if (!is_true && strcmp(text, "false") != 0 && strcmp(text, "off") != 0)
        return false;
    *ret_value = is_true;
    return true;
}

static bool read_enum(const char *choices, const char *text, unsigned *ret_value)
{
    struct span rest = span_from_text(choices);
    struct span word = span_take_word(&rest);
    for (unsigned i = 0; word.len > 0; i++, word = span_take_word(&rest))
        if (span_equal_text(word, text)) {
            *ret_value = i;
            return true;
        }
    return false;
}

/* Digits and one point: no sign, no exponent. */
static bool read_share(const char *text, double *ret_value)
{
    char *end;
    if (strspn(text, "0123456789.") != strlen(text))
        return false;
    double value = strtod(text, &end);
    if (*end != '\0' || end == text || value > 1.0)
        return false;
    *ret_value = value;
    return true;
}

static bool read_number(const struct config_field *field, const char *text, uint64_t *ret_value)
{
    struct span span = span_from_text(text);
    uint64_t value;
    int64_t ns = 0;
    bool is_read = field->kind == CONFIG_SIZE    ? units_parse_size(span, &value)
                   : field->kind == CONFIG_COUNT ? span_to_u64(span, &value)
                                                 : units_parse_duration(span, &ns);
    if (field->kind == CONFIG_DURATION)
        value = (uint64_t)ns;
    if (!is_read || (field->max > 0 && (value < field->min || value > field->max)))
        return false;
    *ret_value = value;
    return true;
}

/*
 * Values that the design has and this version has not are named, so that nobody looks for a mistake of his
 * own.
 */
static bool is_later(const struct config_field *field, const char *text)
{
    struct span rest = span_from_text(field->later == NULL ? "" : field->later);
    for (struct span glob = span_take_word(&rest); glob.len > 0; glob = span_take_word(&rest))
        if (span_matches_glob(span_from_text(text), glob))
            return true;
    return false;
}

enum err config_value_read(const struct config_field *field, const char *text, void *values, struct why *why)
{
    uint8_t *target = (uint8_t *)values + field->offset;
    uint64_t number = 0;
    unsigned word = 0;
    bool truth = false;
    double share = 0.0;
    struct config_address address;
    if (is_later(field, text))
        return why_set(why, ERR_CONFIG, "`%s: %.100s` is not in this version yet", field->name, text);
    switch (field->kind) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        if (*text == '\0')
            return why_set(why, ERR_CONFIG, "`%s` has no value: give it one, or leave it out", field->name);
        memcpy(target, &text, sizeof text);
        return ERR_NONE;
    case CONFIG_BOOL:
        if (!read_bool(text, &truth))
            return refuse(field, text, why);
        memcpy(target, &truth, sizeof truth);
        return ERR_NONE;
    case CONFIG_COUNT:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        if (!read_number(field, text, &number))
            return refuse(field, text, why);
        memcpy(target, &number, sizeof number);
        return ERR_NONE;
    case CONFIG_SHARE:
        if (!read_share(text, &share))
            return refuse(field, text, why);
        memcpy(target, &share, sizeof share);
        return ERR_NONE;
    case CONFIG_ADDRESS:
        if (!config_address_parse(text, &address))
            return refuse(field, text, why);
        memcpy(target, &address, sizeof address);
        return ERR_NONE;
    case CONFIG_ENUM:
        if (!read_enum(field->choices, text, &word))
            return refuse(field, text, why);
        memcpy(target, &word, sizeof word);
        return ERR_NONE;
    case CONFIG_WORDS:
    case CONFIG_SECTION:
    case CONFIG_SECTIONS:
    case CONFIG_NAMED:
    case CONFIG_LATER: break;
    }
    check(false);
    return ERR_CONFIG;
}
