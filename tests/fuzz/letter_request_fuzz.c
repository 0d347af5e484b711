/* Feeds the reader of requests about dead letters with any bytes; what it accepts must be within its limits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/letter_request.h"
#include "fuzz/fuzz.h"

static void check_text(const struct letter_request *request, struct span text)
{
    check(text.len == 0 ||
          (text.data >= request->texts && text.data + text.len <= request->texts + request->texts_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct letter_request request; /* Rule zero: too large for the stack, and nothing else runs */
    struct why why = {""};
    enum err err = letter_request_parse(span_of(data, size), &request, &why);
    if (err != ERR_NONE) {
        check((err == ERR_NOT_FOUND) == (why.text[0] == '\0'));
        return 0;
    }
    check(request.op < LETTER_OP_COUNT && request.texts_len <= sizeof request.texts);
    check_text(&request, request.topic);
    check_text(&request, request.from);
    check_text(&request, request.to);
    check_text(&request, request.reason);
    check_text(&request, request.key);
    check_text(&request, request.delivery);
    check_text(&request, request.correlation_id);
    check_text(&request, request.event);
    return 0;
}
