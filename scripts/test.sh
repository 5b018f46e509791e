#!/usr/bin/env bash
# test.sh: builds and runs all tests. test.sh NAME: those of one part, one folder of tests/, or whose name matches.
#
# Three builds, each test where it tells most:
#   asan     everything that is not named below: unit tests, fuzz targets, interop, command lines, the shape of the repository
#   tsan     the tests of the parts where threads meet (label `threads`)
#   release  the real engine, the real S3 server (label `live`)
# The live tests wait more than they compute: they run beside the sanitizers' builds and tests, which give way to them.
# A phase that fails does not stop the others; the summary at the end and the exit status tell.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1:suppressions=$PWD/tests/support/tsan.supp}
logs=build/test
mkdir -p "$logs"
phases=() results=() seconds=()
failed=0
total=0
tests_failed=0

# phase NAME COMMAND...: runs it, keeps its output in build/test/NAME.log, remembers how it ended.
phase() {
    local name=$1 started=$SECONDS
    shift
    heading "$name"
    phases+=("$name")
    if "$@" 2>&1 | tee "$logs/${name// /-}.log"; then results+=(passed); else
        results+=(FAILED)
        failed=$((failed + 1))
    fi
    seconds+=($((SECONDS - started)))
}

# beside NAME COMMAND...: begins it and goes on; its output is kept, and shown by await.
beside() {
    local log=$logs/${1// /-}.log
    heading "$1: goes on beside what follows"
    shift
    beside_started=$SECONDS
    "$@" >"$log" 2>&1 &
    beside_pid=$!
}

# await NAME: what `beside NAME` began has ended, and how.
await() {
    local log=$logs/${1// /-}.log
    heading "$1"
    phases+=("$1")
    if wait "$beside_pid"; then results+=(passed); else
        results+=(FAILED)
        failed=$((failed + 1))
    fi
    cat "$log"
    seconds+=($((SECONDS - beside_started)))
}

run_ctest() {
    local preset=$1 symbolizer # which gives the addresses of a report their names
    shift
    symbolizer=external_symbolizer_path=$(command -v llvm-symbolizer-19)
    ASAN_OPTIONS=$ASAN_OPTIONS:$symbolizer UBSAN_OPTIONS=$UBSAN_OPTIONS:$symbolizer TSAN_OPTIONS=$TSAN_OPTIONS:$symbolizer \
        nice -n "${niceness:-0}" ctest --test-dir "build/$preset" --output-on-failure --no-tests=error "$@"
}

everything() {
    scripts/deps.sh test
    phase "build release" build_preset release
    # What they wait for comes at the machine's pace: one that failed may try once more, and the log shows both. Not the faults: a
    # line that was lost once was lost.
    beside "test live" run_ctest release -L '^live$' -E '^faults' -j "$(nproc)" --repeat until-pass:2
    local niceness=10
    phase "build asan" build_preset asan
    phase "build tsan" build_preset tsan --target threads_tests
    phase "test asan" run_ctest asan -LE '^(live|structure)$' -j "$(nproc)"
    phase "test tsan" run_ctest tsan -L '^threads$' -j "$(nproc)"
    phase "test structure" run_ctest asan -L '^structure$' -j "$(nproc)"
    niceness=0
    await "test live"
    phase "test faults" run_ctest release -L '^live$' -R '^faults' -j "$(nproc)"
}

# "PART FOLDER" of the part whose name or folder NAME is.
part_named() {
    local listing part
    for listing in "src/$1/CMakeLists.txt" $(grep -lE "^boatswain_part\($1\b" -r src --include CMakeLists.txt); do
        [ -f "$listing" ] || continue
        part=$(sed -nE 's/^boatswain_part\((\w+).*/\1/p' "$listing" | head -n 1)
        [ -n "$part" ] && echo "$part ${listing%/*}" && return
    done
    return 1
}

some() {
    local name=$1 part
    shift
    if [ "$name" = live ] || [ "$name" = structure ]; then
        scripts/deps.sh test
        phase "build release" build_preset release
        phase "test $name" run_ctest release -L "^$name\$" "$@"
    elif part=$(part_named "$name"); then
        scripts/deps.sh sanitize
        local targets=() folder=${part#* } fuzzer
        part=${part%% *}
        [ -z "$(find "$folder" -maxdepth 1 -name '*_test.cc')" ] || targets+=("${part}_test")
        while read -r fuzzer; do targets+=("$fuzzer"); done < <(
            find "$folder" -maxdepth 1 -name '*_fuzz.cc' -printf '%f\n' | sed 's/\.cc$//' | sort)
        [ ${#targets[@]} -gt 0 ] || die "$folder has no tests of its own"
        phase "build asan" build_preset asan --target "${targets[@]}"
        phase "test $name" run_ctest asan -R "^($(IFS='|'; echo "$part|${targets[*]}"))\$" "$@"
    else
        scripts/deps.sh test
        phase "build asan" build_preset asan
        if [ -d "tests/$name" ]; then
            phase "test $name" run_ctest asan -L "^$name\$" "$@"
        else
            phase "test $name" run_ctest asan -R "$name" "$@"
        fi
    fi
}

if [ $# -eq 0 ]; then everything; else some "$@"; fi

heading "Summary"
for i in "${!phases[@]}"; do
    log="$logs/${phases[$i]// /-}.log"
    closing=$(grep -E '^[0-9]+% tests passed|^No tests were found' "$log" || true)
    read -r bad all < <(sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+)$/\1 \2/p' "$log" | tail -n 1) || true
    total=$((total + ${all:-0}))
    tests_failed=$((tests_failed + ${bad:-0}))
    printf '%-16s %-7s %14s   %s\n' "${phases[$i]}" "${results[$i]}" "$(span "${seconds[$i]}")" "$closing"
    [ "${results[$i]}" = passed ] || sed -n '/^The following tests FAILED:/,/^$/p' "$log"
done
passed_percent=$((total > 0 ? (total - tests_failed) * 100 / total : 0))
say "$passed_percent% tests passed, $tests_failed tests failed out of $total, in $(span $SECONDS)"
[ "$failed" -eq 0 ] || die "$failed of ${#phases[@]} phases failed; logs in $logs"
