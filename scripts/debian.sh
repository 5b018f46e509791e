#!/usr/bin/env bash
# debian.sh: what a Debian package holds, in a folder, without installing it.
#
#   debian.sh source NAME DIR [SUITE]   the source of package NAME in this machine's suite, or in SUITE, with Debian's patches
#   debian.sh files SUITE NAME DIR      the files of package NAME in another suite
#
# The mirrors are those that the machine's apt has. Its configuration and its lists stay as they are, and root is not needed. DIR is there
# whole or not at all; when it is there, nothing is done.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || die "debian.sh: /etc/os-release names no suite"

# present FILE...: those of them that are there.
present() { for file; do [ ! -f "$file" ] || cat "$file"; done; }

# entries TYPE SUITE: apt's own entries for this machine's suite, as TYPE (deb or deb-src); for another SUITE: of that one instead.
entries() {
    local type=$1 suite=$2
    present /etc/apt/sources.list.d/*.sources | awk -v RS= -v type="$type" -v own="$codename" -v suite="$suite" '
        $0 !~ "(^|\n)Suites:[^\n]*[ \t]" own "([ \t\n-]|$)" {next}
        suite != own && ($0 !~ "(^|\n)Suites:[^\n]*[ \t]" own "([ \t\n]|$)" || done++) {next}
        {sub(/(^|\n)Types:[^\n]*/, "\nTypes: " type)}
        suite != own {sub(/\nSuites:[^\n]*/, "\nSuites: " suite)}
        {print $0 "\n"}' >"$work/sources/own.sources"
    present /etc/apt/sources.list /etc/apt/sources.list.d/*.list | awk -v type="$type" -v own="$codename" -v suite="$suite" '
        $1 != "deb" {next}
        {at = 2; if ($at ~ /^\[/) {while ($at !~ /\]$/) at++; at++}; named = at + 1}
        suite == own && $named ~ "^" own "(-|$)" {$1 = type; print}
        suite != own && $named == own && !done++ {$1 = type; $named = suite; print}' >"$work/sources/own.list"
    [ -s "$work/sources/own.sources" ] || [ -s "$work/sources/own.list" ] ||
        die "debian.sh: apt has no entry for $codename in /etc/apt: nowhere to fetch from"
}

# apt COMMAND...: apt-get with lists and caches of its own.
apt() {
    (cd "$work" && apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" \
        -o Acquire::Languages=none -o Acquire::Retries=3 "$@" </dev/null >"$work/log" 2>&1) || {
        tail -n 20 "$work/log" >&2
        die "debian.sh: apt-get $1 failed (its output is above)"
    }
}

command=${1:-}
case $command in
    source) [ $# -eq 3 ] || [ $# -eq 4 ] || die "debian.sh source NAME DIR [SUITE]"; type=deb-src suite=${4:-$codename} name=$2 dir=$3 ;;
    files) [ $# -eq 4 ] || die "debian.sh files SUITE NAME DIR"; type=deb suite=$2 name=$3 dir=$4 ;;
    *) die "debian.sh: source or files, not '$command'" ;;
esac
mkdir -p "$(dirname "$dir")"
dir=$(realpath "$dir")
exec 9>"$dir.lock"
flock 9
[ ! -d "$dir" ] || exit 0
for tool in apt-get dpkg-source; do
    command -v "$tool" >/dev/null || die "debian.sh: no $tool (Debian's packages apt and dpkg-dev)"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{sources,lists/partial,cache/archives/partial,out}
entries "$type" "$suite"
apt update
case $command in
    source)
        apt source --only-source "$name"
        mv "$work/$name"-*/ "$work/out/$name"
        ;;
    files)
        apt download "$name"
        dpkg-deb -x "$work/$name"_*.deb "$work/out/$name"
        ;;
esac
rm -rf "$dir.new"
mv "$work/out/$name" "$dir.new" # perhaps over file systems, so that the last step is a rename
mv -T "$dir.new" "$dir"
