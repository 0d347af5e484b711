# The same over TLS, every client verifying the certificate against its authority.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2034 # variables of `run`
. tests/scenarios/e2e_ack.sh

run_scenario()
{
    make_certificates || return 1
    transport=tls
    configure < <(tls_doors)
    start_server && run_e2e_ack
}
