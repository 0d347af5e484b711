# What the scenarios share: a Waybill of their own, and clients made of socat and openssl. Sourced by `run`.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # variables of `run`

# say LEVEL TEXT
say()
{
    echo "ts=$(date -u +%Y-%m-%dT%H:%M:%SZ) lvl=$1 script=scenario-$scenario msg=\"$2\""
}

# --- The program ---------------------------------------------------------------------------------

# configure: the standard input becomes the configuration; the doors have port 0, and the log says which ports they got.
configure()
{
    { echo "data: $work/data"; cat; } >"$work/waybill.yaml"
}

# The four plain doors as most scenarios want them, with a file that the consumer appends to.
plain_doors()
{
    cat <<YAML
doors:
  - { kind: line, serve: produce, listen: "127.0.0.1:0" }
  - { kind: line, serve: subscribe, listen: "127.0.0.1:0" }
  - { kind: line, serve: acks, listen: "127.0.0.1:0" }
  - { kind: line, serve: status, listen: "127.0.0.1:0", processed_log: $work/processed.log }
YAML
}

# port_of SERVE: the port that its door got in the latest start.
port_of()
{
    sed -n "s/.*door=\"$1 [^:]*:\([0-9]*\)\".*/\1/p" "$work/waybill.log" | tail -n 1
}

start_server()
{
    touch "$work/processed.log"
    "$binary" serve -c "$work/waybill.yaml" 2>"$work/waybill.log" &
    server=$!
    for _ in $(seq 100); do
        grep -q 'msg="\?ready' "$work/waybill.log" && return 0
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

stop_server()
{
    [ -n "$server" ] || return 0
    kill -"${1:-TERM}" "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=""
}

waybill()
{
    "$binary" "$@" --data "$work/data"
}

# lines_of TOPIC: how many records it has.
lines_of()
{
    waybill tail "$1" --from start --once | wc -l
}

# --- Clients -------------------------------------------------------------------------------------

# address SERVE: where socat or openssl finds the door.
address()
{
    if [ "$transport" = tls ]; then
        echo "OPENSSL:localhost:$(port_of "$1"),cafile=$work/ca.pem"
    else
        echo "TCP:127.0.0.1:$(port_of "$1")"
    fi
}

# The standard input goes to the produce door.
send()
{
    socat -u STDIN "$(address produce)"
}

# ask SERVE REQUEST: one request, its answer line; over TLS by openssl itself, which stays connected until it is ended.
ask()
{
    local answer=""
    if [ "$transport" = tls ]; then
        coproc questioner { exec openssl s_client -quiet -verify_return_error -CAfile "$work/ca.pem" -servername localhost \
            -connect "127.0.0.1:$(port_of "$1")" 2>/dev/null; }
        # shellcheck disable=SC2154 # coproc names it
        local openssl=$questioner_PID
        echo "$2" >&"${questioner[1]}"
        read -r -t 10 answer <&"${questioner[0]}"
        kill "$openssl" 2>/dev/null
        wait "$openssl" 2>/dev/null
        echo "$answer"
    else
        echo "$2" | socat -t 10 STDIO "$(address "$1")"
    fi
}

# until_answer SERVE REQUEST ANSWER: asks again until it is so, for at most 30 s.
until_answer()
{
    local answer=""
    for _ in $(seq 300); do
        answer=$(ask "$1" "$2")
        [ "$answer" = "$3" ] && return 0
        sleep 0.1
    done
    say FAIL "$2 never answered $3, but ${answer:0:200}"
    return 1
}

# until_true WHAT COMMAND...: for at most 30 s.
until_true()
{
    local what=$1
    shift
    for _ in $(seq 300); do
        "$@" && return 0
        sleep 0.1
    done
    say FAIL "it never came true that $what"
    return 1
}

# messages FROM TO KEY: lines of a producer.
messages()
{
    awk -v from="$1" -v to="$2" -v key="$3" 'BEGIN { for (i = from; i <= to; i++) print key "|1795334400000|" i "|message " i }'
}

# consume FILE COMMAND...: a subscriber in the background whose lines go to FILE; its process id is in $consumer. It hears what
# is said with `tell`; each COMMAND is a line.
consume()
{
    local file=$1
    shift
    rm -f "$work/commands"
    mkfifo "$work/commands"
    exec 7<>"$work/commands"
    : >"$file"
    socat -t 60 STDIO "$(address subscribe)" <&7 >"$file" &
    consumer=$!
    tell "$@"
}

# tell COMMAND...: lines to the subscriber.
tell()
{
    printf '%s\n' "$@" >&7
}

stop_consumer()
{
    [ -n "$consumer" ] || return 0
    kill "$consumer" 2>/dev/null
    wait "$consumer" 2>/dev/null
    consumer=""
}

# has_lines FILE COUNT
has_lines()
{
    [ "$(wc -l <"$1")" -ge "$2" ]
}

# numbers_of FILE: the first field of each line, sorted as numbers.
numbers_of()
{
    cut -d'|' -f1 "$1" | sort -n
}

# is_each_once FILE FROM TO: exactly these numbers, each once.
is_each_once()
{
    cmp -s <(numbers_of "$1") <(seq "$2" "$3")
}

# --- Certificates --------------------------------------------------------------------------------

# An authority and a certificate for localhost, good for a day.
make_certificates()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "/CN=scenario authority" \
        -keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null || return 1
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" \
        -keyout "$work/server.key" -out "$work/server.csr" 2>/dev/null || return 1
    openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 1 \
        -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1") -out "$work/server.pem" 2>/dev/null
}

tls_doors()
{
    plain_doors | sed "s|listen: \"127.0.0.1:0\"|&, tls: { cert: $work/server.pem, key: $work/server.key }|"
}
