/* Fuzzes the configuration reader: whatever the file holds, it is taken or its problems are told. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_problems problems;
    struct config *config = NULL;
    config_problems_init(&problems, "fuzz.yaml");
    enum err err = config_parse(span_of(data, size), &problems, &config);
    check((err == ERR_NONE) == (config != NULL));
    check((err == ERR_CONFIG) == (problems.count > 0));
    if (config != NULL)
        check(config->doors.count > 0 && config->limits.record < config->limits.append);
    config_problems_done(&problems);
    config = config_free(config);
    return 0;
}
