# What the scripts share. Sourced, with the repository as the current directory.
# shellcheck shell=bash

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }
heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
good() { printf '%s%s%s\n' "$green" "$*" "$plain"; }
die() {
    printf '%s%s%s\n' "$red" "$*" "$plain" >&2
    exit 1
}

# 75 -> "1 min 15 s"
span() {
    if [ "$1" -ge 60 ]; then printf '%d min %d s' $(($1 / 60)) $(($1 % 60)); else printf '%d s' "$1"; fi
}

# build_preset PRESET [cmake --build arguments]: configures when needed, and builds, at $niceness.
build_preset() {
    local preset=$1
    mkdir -p build
    shift
    # A second time without what is remembered: another compiler, say, is more than cmake's cache survives.
    if ! cmake --preset "$preset" >"build/$preset-configure.log" 2>&1 &&
        ! cmake --preset "$preset" --fresh >"build/$preset-configure.log" 2>&1; then
        cat "build/$preset-configure.log" >&2
        rm -f "build/$preset-configure.log"
        die "cmake could not configure the preset '$preset'"
    fi
    rm -f "build/$preset-configure.log"
    nice -n "${niceness:-0}" cmake --build --preset "$preset" -j "$(nproc)" "$@"
}

# The C++ files of the repository, NUL-separated: those git knows and those it will be told of.
# our_files PATTERN...: what is ours by name, each with a NUL behind it; without git (an unpacked archive) by the folders.
our_files() {
    git ls-files -z --cached --others --exclude-standard -- "$@" 2>/dev/null && return
    local names=() pattern
    for pattern; do names+=(-o -name "$pattern"); done
    find . -path ./build -prune -o -type f \( "${names[@]:1}" \) -print0
}
cxx_files() { our_files '*.cc' '*.h'; }
