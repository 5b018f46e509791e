#!/usr/bin/env bash
# faults.sh [--seed N] [--minutes M] [--faults NAME...]: every change to the disk fails once and ends the process once (tests/faults/sweep.py),
# and a broken spool is noticed, and so is each thing that can be wrong with a store; random operations against a plain model
# (tests/faults/model); then the storm (tests/faults/storm.py): a real engine, a real S3
# server, one fault after the other and two at a time; then 500 containers that remove themselves, and a tenant that prints a hundred times
# as much as the others.
# With --engine containerd or podman instead: pods or containers of it, one fault after the other (tests/faults/pods.py).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

case " $* " in *" --help "* | *" -h "* | *" --list "*) exec /usr/bin/python3 tests/faults/storm.py "$@" ;; esac
case " $* " in *" --engine "*)
    scripts/deps.sh build test
    heading "Building a release"
    build_preset release --target boatswaind_program boatswain
    exec /usr/bin/python3 tests/faults/pods.py "$@"
    ;;
esac
scripts/deps.sh build test
heading "Building a release"
build_preset release
heading "Every change to the disk goes wrong once"
/usr/bin/python3 tests/faults/sweep.py --build build/release
heading "A spool that is broken on purpose"
/usr/bin/python3 tests/faults/sweep.py --build build/release/tests/faults/broken --expect-loss --how kill-before
heading "Random operations against a plain model"
ninja -C build/release model_test
build/release/model_test --seed "$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')" --runs 300 --steps 60
heading "Stores that are wrong on purpose"
/usr/bin/python3 tests/faults/oracle_test.py
heading "The storm"
/usr/bin/python3 tests/faults/storm.py "$@"
heading "Containers that remove themselves"
/usr/bin/python3 tests/faults/swarm.py
heading "A noisy tenant"
/usr/bin/python3 tests/faults/noisy.py
