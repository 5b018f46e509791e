#!/usr/bin/env bash
# demo_cluster.sh [--once]: one agent on every host of a cluster, always. Run it as `./dev demo --cluster`, which builds first.
#
#   --once  show everything, clean up, and exit 0; or non-zero with the reason
#
# Marathon and Mesos are played by a double (tests/cluster/README.md); the agents, their Docker engine (a private one) and
# `boatswain fleet sync` are real. Everything lies in one temporary directory and is gone at the end, however the end comes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

once=()
for argument in "$@"; do
    case $argument in
        --once) once=(--once) ;;
        -h | --help) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" && exit ;;
        *) die "./dev demo --cluster does not know '$argument' (it knows --once)" ;;
    esac
done

PATH=$PATH:/usr/sbin:/sbin
build=${BOATSWAIN_BUILD:-$PWD/build/release}
for program in "$build/boatswaind" "$build/boatswain"; do [ -x "$program" ] || die "$program is not there: ./dev build"; done
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then
    note "Going on as root (a private Docker engine needs it): sudo may ask for your password."
    exec sudo env ${NO_COLOR:+NO_COLOR="$NO_COLOR"} BOATSWAIN_BUILD="$build" "$0" "$@"
fi

place='' player=''
clean_up() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    [ -z "$player" ] || { kill -TERM "$player" 2>/dev/null; wait "$player" 2>/dev/null; }
    [ -z "$place" ] || {
        heading "Cleaning up"
        tests/support/engine.sh stop "$place/engine" 2>/dev/null || status=1
        rm -rf "$place"
        if [ -e "$place" ]; then say "Not everything could be removed: $place" && status=1; else say "Everything this demo started is gone."; fi
    }
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Not inside a long TMPDIR: the names of unix sockets are short.
place=$(mktemp -d /tmp/boatswain-demo.XXXXXX)
heading "A Docker engine"
tests/support/engine.sh start "$place/engine" >"$place/engine.out" 2>&1 || die "no engine: $(tail -n 5 "$place/engine.out")"
say "A private one: docker -H unix://$place/engine/docker.sock"
mkdir "$place/keys" "$place/keyring"
for tenant in acme globex _unassigned; do
    "$build/boatswain" keys new "$tenant" --out "$place/keys" >/dev/null
    mv "$place/keys/$tenant.pub" "$place/keyring/"
done
PYTHONPATH=tests/cluster /usr/bin/python3 tests/cluster/demo.py "$place" "$place/engine" "$build" ${once[@]+"${once[@]}"} &
player=$!
wait "$player"
player=
