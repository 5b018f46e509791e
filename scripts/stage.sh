#!/usr/bin/env bash
# stage.sh PROGRAMS TREE: the whole file system of Boatswain's image, from the programs in PROGRAMS, into TREE.
#
# Both programs, the shared libraries they need, the certificates of public authorities, and the few files of /etc that libc
# looks into. No shell, no package manager. deploy/docker/Dockerfile makes the same tree where there is a registry to start from.
#
# boatswaind has the file capability cap_dac_read_search, permitted and not effective: an ordinary user that runs it reads the
# engine's log files, if the container was given that capability (docker run --cap-add DAC_READ_SEARCH), and it starts all the
# same if it was not. As root, so that it can be set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

[ $# = 2 ] || die "stage.sh PROGRAMS TREE"
programs=$1
tree=$2
certificates=/etc/ssl/certs/ca-certificates.crt
uid=10350 # of the ordinary user that the descriptors name; fixed, because the host's directories belong to it

rm -rf "$tree"
mkdir -p "$tree"/{usr/bin,etc/ssl/certs,etc/boatswain,var/lib/boatswain,run/boatswain,tmp}
chmod 1777 "$tree/tmp"
for program in boatswaind boatswain; do
    [ -x "$programs/$program" ] || die "$programs/$program is missing: ./dev build"
    objcopy --strip-all "$programs/$program" "$tree/usr/bin/$program"
done

# Without gcc it warns, and knows all the same.
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null)

# What the loader would load, and the loader itself, under the names by which they are looked for.
for program in "$tree"/usr/bin/*; do
    ldd "$program" | awk '$2 == "=>" {print $1, $3} $1 ~ "^/" {print $1, $1}'
done | sort -u | while read -r name file; do
    [ -f "$file" ] || die "no library for $name"
    case $name in
        /*) install -D -m 755 "$file" "$tree$name" ;; # the loader
        *) install -D -m 644 "$file" "$tree/usr/lib/$multiarch/$name" ;;
    esac
done

[ -s "$certificates" ] || die "$certificates is missing: apt-get install ca-certificates"
install -m 644 "$certificates" "$tree$certificates"
printf 'root:x:0:0:root:/:/sbin/nologin\nboatswain:x:%s:%s:Boatswain:/var/lib/boatswain:/sbin/nologin\n' $uid $uid >"$tree/etc/passwd"
printf 'root:x:0:\nboatswain:x:%s:\n' $uid >"$tree/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$tree/etc/nsswitch.conf"
chmod 644 "$tree"/etc/{passwd,group,nsswitch.conf}
chown -R 0:0 "$tree"
chown $uid:$uid "$tree/var/lib/boatswain" "$tree/run/boatswain"
chmod 750 "$tree/var/lib/boatswain"
PATH=$PATH:/usr/sbin:/sbin setcap cap_dac_read_search=p "$tree/usr/bin/boatswaind"
