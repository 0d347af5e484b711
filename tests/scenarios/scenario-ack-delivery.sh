# After sending, the acks port confirms that each message is on disk; also after SIGKILL.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # variables of `run`

run_scenario()
{
    configure < <(plain_doors)
    start_server || return 1
    messages 1 100 orders | send
    until_answer acks "GET_ACK 100" "ACK 100" || return 1
    [ "$(ask acks "GET_ACK 101")" = "PENDING 101" ] || return 1
    stop_server KILL
    start_server || return 1
    [ "$(ask acks "GET_ACK 1-100")" = "ACK 1-100" ] && [ "$(lines_of orders)" = 100 ]
}
