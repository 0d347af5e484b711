/* Answers of the status port about one number or place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/status_answer.h"

#include "base/clock.h"
#include "door/answer_text.h"
#include "door/question.h"

/* Of one group: five texts, two names of 200 bytes and the place of a dead letter, a peer with all its bytes escaped. */
enum { GROUP_SIZE_MAX = 1024 };

void status_answer(struct buffer *answers, bool is_processed)
{
    answer_put_text(answers, is_processed ? "PROCESSED\n" : "PENDING\n");
}

/* --- Words of a line ---------------------------------------------------------------------------- */

static void put_number(struct buffer *answers, const char *name, uint64_t value)
{
    answer_put_text(answers, name);
    answer_put_number(answers, value);
}

static void put_time(struct buffer *answers, const char *name, int64_t wall_ns)
{
    put_number(answers, name, wall_ns > 0 ? (uint64_t)(wall_ns / CLOCK_NS_PER_MS) : 0);
}

static bool is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f || text.data[i] == '"' || text.data[i] == '\\')
            return false;
    return text.len > 0;
}

/* In quotes when it has blanks or the like; what cannot be printed becomes a question mark. */
static void put_quoted(struct buffer *answers, struct span text)
{
    if (is_plain(text)) {
        answer_put_span(answers, text);
        return;
    }
    answer_put_text(answers, "\"");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"' || byte == '\\')
            answer_put_text(answers, "\\");
        answer_put_span(answers, byte < ' ' || byte >= 0x7f ? span_of("?", 1) : span_of(&byte, 1));
    }
    answer_put_text(answers, "\"");
}

static void put_place(struct buffer *answers, const char *topic, const struct store_position *position)
{
    answer_put_text(answers, " topic=");
    answer_put_text(answers, topic);
    put_number(answers, " partition=", position->partition);
    put_number(answers, " offset=", position->offset);
}

static void put_state(struct buffer *answers, enum receipt_state state)
{
    answer_put_text(answers, " state=");
    answer_put_text(answers, receipt_state_name(state));
}

/* --- Groups ------------------------------------------------------------------------------------- */

static void
put_dead_letter(struct buffer *answers, struct receipts *receipts, const struct store_position *dead)
{
    char topic[STORE_TOPIC_NAME_MAX + 1];
    answer_put_text(answers, " dead_letter=");
    answer_put_text(answers, receipts_topic_name(receipts, dead->topic, topic));
    put_number(answers, "/", dead->partition);
    put_number(answers, "/", dead->offset);
}

static void put_group(struct buffer *answers, struct receipts *receipts, const struct receipt_group *group)
{
    const struct store_fate *fate = &group->fate;
    answer_put_text(answers, " group.");
    answer_put_text(answers, group->group.name);
    answer_put_text(answers, "=");
    answer_put_text(answers, receipt_outcome_name(group));
    put_number(answers, " attempts=", fate->attempts);
    put_time(answers, " at=", fate->at_ns);
    if (fate->status > 0)
        put_number(answers, " status=", fate->status);
    if (fate->by_len > 0) {
        answer_put_text(answers, " by=");
        put_quoted(answers, span_of(fate->by, fate->by_len));
    }
    if (group->has_dead_letter)
        put_dead_letter(answers, receipts, &group->dead_letter);
}

/* How many groups there are. */
static uint32_t put_groups(struct buffer *answers,
                           struct receipts *receipts,
                           const struct receipt *receipt,
                           size_t line_start)
{
    struct receipt_group group;
    uint32_t count = 0;
    uint32_t left_out = 0;
    for (uint32_t position = 0; receipts_next_group(receipts, receipt, &position, &group); count++) {
        if (answers->len - line_start + 2 * GROUP_SIZE_MAX > STATUS_RECEIPT_SIZE_MAX)
            left_out++;
        else
            put_group(answers, receipts, &group);
    }
    if (left_out > 0)
        put_number(answers, " more_groups=", left_out);
    return count;
}

/* --- Lines -------------------------------------------------------------------------------------- */

void status_answer_no_place(struct buffer *answers, struct span word, enum receipt_state state)
{
    answer_put_text(answers, "seq=");
    answer_put_span(answers, word);
    put_state(answers, state);
    answer_put_text(answers, "\n");
}

void status_answer_receipt(struct buffer *answers,
                           struct receipts *receipts,
                           struct span word,
                           const struct receipt *receipt,
                           struct status_receipt_rest rest)
{
    size_t start = answers->len;
    answer_put_text(answers, "seq=");
    answer_put_span(answers, word);
    put_place(answers, receipt->topic, &receipt->position);
    put_state(answers, receipt->state);
    if (receipt->is_expired)
        answer_put_text(answers, " record=expired");
    if (receipt->state != RECEIPT_UNKNOWN && put_groups(answers, receipts, receipt, start) == 0) {
        put_number(answers, " attempts=", 0);
        put_time(answers, " at=", receipt->stored_ns);
    }
    if (rest.is_omitted)
        answer_put_text(answers, " omitted=yes");
    if (rest.more > 0)
        put_number(answers, " more=", rest.more);
    answer_put_text(answers, "\n");
}
