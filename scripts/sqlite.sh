#!/usr/bin/env bash
# sqlite.sh: prints the folder in which sqlite3.c and sqlite3.h are, made from the source of the SQLite that is installed here.
#
# Sanitized builds compile it themselves (cmake/Sqlite.cmake): a library that Debian has compiled hides from the sanitizers what goes wrong
# inside. It is made once for each version, about a minute, and kept in ${BOATSWAIN_CACHE:-~/.cache/boatswain}.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

version=$(dpkg-query -W -f '${Version}' libsqlite3-dev 2>/dev/null) || die "sqlite.sh: libsqlite3-dev is not installed (./dev deps build)"
cache=${BOATSWAIN_CACHE:-${XDG_CACHE_HOME:-${HOME:-$PWD/build}/.cache}/boatswain}
made=$cache/sqlite3-$version-3 # 3: how it is changed below
mkdir -p "$cache"
exec 8>"$cache/sqlite3.lock"
flock 8
if [ ! -d "$made" ]; then
    for tool in clang-19 make tclsh8.6 dpkg-source; do
        command -v "$tool" >/dev/null || die "sqlite.sh: no $tool, which makes SQLite's source for sanitized builds (./dev deps sanitize)"
    done
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    scripts/debian.sh source sqlite3 "$work/source" >&2
    mkdir "$work/build"
    (cd "$work/build" && CC=clang-19 ../source/configure --disable-tcl && make sqlite3.c) >"$work/log" 2>&1 </dev/null || {
        tail -n 20 "$work/log" >&2
        die "sqlite.sh: SQLite's source was fetched, and sqlite3.c could not be made of it (the end of the log is above)"
    }
    mkdir -p "$made.new"
    # What its assertions themselves do without a lock is no race of ours: they look who holds a mutex, and count which
    # lines were reached. And what SQLite itself calls a possible false alarm (tag-20200519-1 in its source): the header of the
    # index beside a write-ahead log is copied twice, with a barrier between, and compared. The functions that do so are not
    # watched, but a call of memcpy from there is: so the copy is made in place.
    sed -e 's/memcpy(\(.*aHdr\[[01]\].*\));/__builtin_memcpy_inline(\1);/' \
        -e 's/^static int pthreadMutex\(Held\|Notheld\)(/__attribute__((no_sanitize("thread"))) &/' \
        -e 's/sqlite3CoverageCounter += (unsigned)__LINE__;/(void)0;/' "$work/build/sqlite3.c" >"$made.new/sqlite3.c"
    [ "$(grep -c '__builtin_memcpy_inline(.*aHdr' "$made.new/sqlite3.c")" = 4 ] ||
        die "sqlite.sh: this SQLite copies the header of its index in other places than 3.40 does; look at tag-20200519-1 in its source"
    cp "$work/build/sqlite3.h" "$made.new/"
    mv -T "$made.new" "$made"
fi
echo "$made"
