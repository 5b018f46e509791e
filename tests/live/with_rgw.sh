#!/bin/bash
# with_rgw.sh PORT COMMAND...: runs COMMAND beside a fresh Ceph RGW (tests/support/rgw.sh, with TLS) and takes it down
# afterwards, however COMMAND ended. PORT and the two after it are used; `auto` looks for free ones.
#
# COMMAND finds in its environment: RGW_ENDPOINT, RGW_TLS_ENDPOINT, RGW_CA_FILE, RGW_DIR and RGW_SCRIPT (for outages:
# "$RGW_SCRIPT stop-gateway $RGW_DIR"), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, RGW_ROLE_ARN. No bucket is made.
# Its exit code is ours; 77 when Ceph is not installed, which fails the test.
set -euo pipefail

readonly not_installed=77
[ $# -ge 2 ] || { sed -n '2,8p' "$0" | sed 's/^# //' >&2; exit 2; }
port=$1
shift
for tool in ceph-mon ceph-osd radosgw radosgw-admin openssl; do
    command -v "$tool" >/dev/null || { echo "with_rgw.sh: $tool is not installed: ./dev deps test" >&2; exit $not_installed; }
done

free_port() {  # the first of three in a row that nobody listens on, from a place of our own choosing
    local first
    for _ in $(seq 50); do
        first=$((20000 + RANDOM % 10000))
        if ! ss -Hltn "( sport >= :$first and sport <= :$((first + 2)) )" 2>/dev/null | grep -q .; then echo "$first"; return; fi
    done
    echo "with_rgw.sh: no free ports" >&2
    return 1
}
if [ "$port" = auto ]; then port=$(free_port); fi

RGW_SCRIPT=$(cd "$(dirname "$0")/../support" && pwd)/rgw.sh
RGW_DIR=$(mktemp -d "${TMPDIR:-/tmp}/boatswain-rgw.XXXXXX")
export RGW_SCRIPT RGW_DIR
take_down() {
    "$RGW_SCRIPT" stop "$RGW_DIR" || true
    rm -rf "$RGW_DIR"
}
trap take_down EXIT
trap 'exit 143' TERM INT HUP

exports=$("$RGW_SCRIPT" start "$RGW_DIR" "$port" --tls)
eval "$exports"
# What the machine's owner configured for the real S3 is not for this one.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_SHARED_CREDENTIALS_FILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_CA_BUNDLE AWS_DEFAULT_REGION
export AWS_EC2_METADATA_DISABLED=true no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost
"$@" &
child=$!
trap 'kill "$child" 2>/dev/null; wait "$child"; exit 143' TERM INT HUP
wait "$child"
