# 50 messages, consumed, marked in processed.log, each confirmed as processed.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # variables of `run`
. tests/scenarios/e2e_ack.sh

run_scenario()
{
    configure < <(plain_doors)
    start_server && run_e2e_ack
}
