#!/usr/bin/env bash
# faults.sh [--seed N] [--minutes M] [--faults NAME...]: every change to the disk fails once and ends the process once (tests/faults/sweep.py),
# and a broken spool is noticed; then the storm (tests/faults/storm.py): a real engine, a real S3 server, one fault after the other.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

case " $* " in *" --help "* | *" -h "*) exec /usr/bin/python3 tests/faults/storm.py --help ;; esac
scripts/deps.sh build test
heading "Building a release"
build_preset release
heading "Every change to the disk goes wrong once"
/usr/bin/python3 tests/faults/sweep.py --build build/release
heading "A spool that is broken on purpose"
/usr/bin/python3 tests/faults/sweep.py --build build/release/tests/faults/broken --expect-loss --how kill-before
heading "The storm"
exec /usr/bin/python3 tests/faults/storm.py "$@"
