#!/usr/bin/env bash
# check.sh [--all]: formatting, clang-tidy, shell scripts, structure. Without --all, clang-tidy looks at what differs from
# the main branch only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh
scripts/deps.sh sanitize check

failed=0
step() {
    heading "$1"
    shift
    if "$@"; then good "good"; else failed=$((failed + 1)); fi
}

# Headers are looked at through the files that include them, so units are enough.
tidy() {
    local all=$1 base units=() file
    cmake --preset asan >/dev/null
    base=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || true)
    while IFS= read -r file; do
        grep -qF "/$file\"" build/asan/compile_commands.json && units+=("$file")
    done < <(
        if [ "$all" = yes ] || [ -z "$base" ]; then git ls-files '*.cc'; else
            git diff --name-only --diff-filter=d "$base" -- '*.cc'
            git ls-files --others --exclude-standard -- '*.cc'
        fi
    )
    [ ${#units[@]} -gt 0 ] || { note "no C++ unit has changed"; return 0; }
    printf '%s\0' "${units[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 --quiet -p build/asan --extra-arg=-Wno-unknown-warning-option
}

all=no
[ "${1:-}" != --all ] || all=yes
step "Formatting" scripts/style.sh format
step "Shell scripts" scripts/style.sh shell
step "clang-tidy" tidy "$all"
step "Structure" scripts/test.sh structure
[ "$failed" -eq 0 ] || die "$failed checks failed"
