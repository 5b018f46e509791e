#!/usr/bin/env bash
# package.sh [--programs DIR] [--to DIR]: what is handed out, of a release build, into build/package:
#
#   boatswain_VERSION_ARCH.deb         for hosts: boatswaind, units, configuration, man page, completions, documents
#   boatswain-tools_VERSION_ARCH.deb   for people: boatswain, man page, completions; the other one depends on it
#   boatswain-image.tar                the image's file system: docker import
#   tree/                              the same, unpacked
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

programs=build/release
to=build/package
while [ $# -gt 0 ]; do
    case $1 in
        --programs) programs=$2 && shift 2 ;;
        --to) to=$2 && shift 2 ;;
        *) die "package.sh [--programs DIR] [--to DIR]" ;;
    esac
done
mkdir -p "$to"
to=$(realpath "$to")
[ "$(id -u)" = 0 ] || die "must be root: the image's tree holds a file capability"

heading "Image"
scripts/stage.sh "$programs" "$to/tree"
tar --xattrs --xattrs-include=security.capability --sort=name -C "$to/tree" -cf "$to/boatswain-image.tar" .
say "$to/boatswain-image.tar ($(du -h "$to/boatswain-image.tar" | cut -f1), $(find "$to/tree" -type f | wc -l) files)"
say "  docker import --change 'ENV PATH=/usr/bin' --change 'CMD [\"boatswaind\", \"agent\"]' $to/boatswain-image.tar boatswain:latest"

heading "Debian packages"
rm -f "$to"/boatswain_*.deb "$to"/boatswain-tools_*.deb
(cd "$programs" && cpack -G DEB -B "$to/cpack" >"$to/cpack.log" 2>&1) || {
    tail -n 30 "$to/cpack.log" >&2
    die "cpack failed"
}
mv "$to"/cpack/boatswain_*.deb "$to"/cpack/boatswain-tools_*.deb "$to/"
rm -rf "$to/cpack"
ls "$to"/boatswain*.deb
