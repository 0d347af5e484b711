/* Feeds the reader of control requests with any bytes; what it accepts must be within its limits. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "door/control_request.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_request request;
    struct why why = {""};
    if (control_request_parse(span_of(data, size), NULL, &request, &why) != ERR_NONE) {
        check(why.text[0] != '\0');
        return 0;
    }
    check(request.op < CONTROL_OP_COUNT);
    check(request.topic_len <= sizeof(request.topic) && request.key_len <= sizeof(request.key));
    return 0;
}
