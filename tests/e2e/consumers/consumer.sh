#!/bin/bash
# A member of a group in bash: consumer.sh PORT TOPIC GROUP; says what it is done with before it is.
# SPDX-License-Identifier: Apache-2.0
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
echo "SUBSCRIBE $2 GROUP $3 WINDOW 20" >&3
while IFS='|' read -r -u 3 seq _; do
    echo "$seq"
    echo "DONE $seq" >&3 || exit 0
done
