# 20,000 messages; the program is killed in the middle; a retry loop driven by the answers ends with none lost.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # variables of `run`

run_scenario()
{
    configure < <(plain_doors)
    start_server || return 1
    messages 1 20000 orders >"$work/all"
    head -n 8000 "$work/all" | send
    until_answer acks "GET_ACK 8000" "ACK 8000" || return 1
    tail -n +8001 "$work/all" | send 2>/dev/null &
    local sender=$!
    stop_server KILL
    wait "$sender" 2>/dev/null
    start_server || return 1
    for _ in $(seq 50); do
        local answer last
        answer=$(ask acks "GET_ACK 1-20000")
        [ "$answer" = "ACK 1-20000" ] && break
        # MISSING 8001-12000,15000 ... : exactly these are sent again.
        sed 's/^MISSING //; s/ more$//' <<<"$answer" | tr , '\n' |
            awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }' >"$work/missing"
        awk -F'|' 'NR == FNR { wanted[$1]; next } $3 in wanted' "$work/missing" "$work/all" | send
        last=$(tail -n 1 "$work/missing")
        until_answer acks "GET_ACK $last" "ACK $last" || return 1
    done
    [ "$(ask acks "GET_ACK 1-20000")" = "ACK 1-20000" ] && [ "$(lines_of orders)" = 20000 ]
}
