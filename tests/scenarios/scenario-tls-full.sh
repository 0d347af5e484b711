# The plain path over TLS, with a durability answer; a client that trusts another authority is refused.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # variables of `run`

run_scenario()
{
    make_certificates || return 1
    transport=tls
    configure < <(tls_doors)
    start_server || return 1
    messages 1 100 orders | send || return 1
    until_answer acks "GET_ACK 1-100" "ACK 1-100" || return 1
    consume "$work/consumed" "SUBSCRIBE orders FROM_START"
    until_true "the consumer has its lines" has_lines "$work/consumed" 100 || return 1
    is_each_once "$work/consumed" 1 100 || return 1
    stop_server KILL
    start_server || return 1
    [ "$(ask acks "GET_ACK 100")" = "ACK 100" ] || return 1

    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "/CN=somebody else" \
        -keyout "$work/other.key" -out "$work/other.pem" 2>/dev/null || return 1
    ! echo "GET_ACK 100" | timeout 10 openssl s_client -quiet -verify_return_error -CAfile "$work/other.pem" \
        -connect "127.0.0.1:$(port_of acks)" >"$work/refused" 2>/dev/null && [ ! -s "$work/refused" ]
}
