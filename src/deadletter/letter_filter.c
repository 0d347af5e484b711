/* Patterns over reason and key. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "deadletter/letter_filter.h"

void letter_look(const struct record *record, struct letter_view *ret_view)
{
    *ret_view = (struct letter_view){.record = record};
    ret_view->is_letter = dead_letter_read(record, &ret_view->letter, &ret_view->headers);
    ret_view->reason = ret_view->is_letter ? ret_view->letter.reason
                                           : dead_letter_header(record, ret_view->headers, "reason");
}

static enum err
read_pattern(struct span text, const char *name, struct why *why, struct pattern **ret_pattern)
{
    if (text.len == 0)
        return ERR_NONE;
    if (text.len > LETTER_PATTERN_MAX)
        return why_set(why, ERR_TOO_LARGE, "%s: a pattern is at most %d bytes long", name,
                       (int)LETTER_PATTERN_MAX);
    enum err err = pattern_new(text, why, ret_pattern);
    if (err != ERR_NONE)
        why_prefix(why, "%s: ", name);
    return err;
}

enum err
letter_filter_init(struct letter_filter *filter, struct span reason, struct span key, struct why *why)
{
    *filter = (struct letter_filter){NULL, NULL};
    enum err err = read_pattern(reason, "reason", why, &filter->reason);
    if (err == ERR_NONE)
        err = read_pattern(key, "key", why, &filter->key);
    if (err != ERR_NONE)
        letter_filter_done(filter);
    return err;
}

void letter_filter_done(struct letter_filter *filter)
{
    filter->reason = pattern_free(filter->reason);
    filter->key = pattern_free(filter->key);
}

bool letter_filter_takes(const struct letter_filter *filter, const struct letter_view *view)
{
    if (filter->reason != NULL && !pattern_matches(filter->reason, view->reason))
        return false;
    return filter->key == NULL ||
           (!view->record->key_is_null && pattern_matches(filter->key, view->record->key));
}
