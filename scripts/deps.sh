#!/usr/bin/env bash
# deps.sh [GROUP...]: installs the Debian 12 packages that GROUPs need and the machine lacks.
#
# Nothing that is there is touched: a program that another packager already put in place (node, docker) counts as there.
# Services that come along are not started: what needs an engine or an S3 server starts its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

# PACKAGE, or COMMAND=PACKAGE where the command may come from elsewhere.
build=(clang-19 lld-19 libclang-rt-19-dev libstdc++-12-dev binutils cmake ninja-build ccache mold pkg-config
    libboost1.81-dev libcurl4-openssl-dev libssl-dev libzstd-dev zlib1g-dev libsimdjson-dev libre2-dev libcli11-dev
    libtomlplusplus-dev libfmt-dev prometheus-cpp-dev libsqlite3-dev libgtest-dev libgmock-dev
    libcap-dev node=nodejs npm=npm) # the last two: the web page
sanitize=(tcl8.6 make dpkg-dev  # scripts/sqlite.sh
    llvm-symbolizer-19=llvm-19) # names in what the sanitizers report
demo=(age zstd busybox=busybox-static docker=docker.io dockerd=docker.io iptables procps curl)
pods=(containerd python3 python3-grpcio python3-grpc-tools podman conmon runc)
s3=(ceph-mon ceph-osd radosgw python3 python3-boto3 curl)
package=(dpkg-dev fakeroot ca-certificates file libcap2-bin)
check=(clang-format-19 clang-tidy-19 python3 black shellcheck)
test=("${sanitize[@]}" "${demo[@]}" "${s3[@]}" "${check[@]}" "${package[@]}" jq openssl valgrind iproute2
    promtool=prometheus debootstrap zsh fish groff-base man-db systemd python3-yaml adduser uidmap rootlesskit
    python3-marathon lintian "${pods[@]}" python3-websockets chromium fonts-dejavu-core haproxy)

[ $# -gt 0 ] || set -- build test
wanted=()
for group in "$@"; do
    case $group in
        build) wanted+=("${build[@]}") ;;
        sanitize) wanted+=("${build[@]}" "${sanitize[@]}") ;;
        demo) wanted+=("${demo[@]}") ;;
        pods) wanted+=("${pods[@]}") ;;
        s3) wanted+=("${s3[@]}") ;;
        check) wanted+=("${check[@]}") ;;
        package) wanted+=("${build[@]}" "${package[@]}") ;;
        test) wanted+=("${build[@]}" "${test[@]}") ;;
        bench) wanted+=("${build[@]}" "${test[@]}") ;;
        fuzz | fmt) wanted+=("${build[@]}" "${sanitize[@]}" "${check[@]}") ;;
        *) die "deps: no group '$group' (build, sanitize, demo, pods, s3, check, package, test)" ;;
    esac
done

declare -A installed=()
while read -r package status; do
    [ "$status" != installed ] || installed[$package]=1
done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null || true)

missing=()
for want in "${wanted[@]}"; do
    package=${want#*=}
    [ -z "${installed[$package]:-}" ] || continue
    [ "$want" = "$package" ] || ! PATH=$PATH:/usr/sbin:/sbin command -v "${want%%=*}" >/dev/null || continue
    installed[$package]=1 # asked for once
    missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || die "missing: ${missing[*]} (only Debian's apt-get is known here)"
root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "missing: ${missing[*]}
run as root, or install sudo: apt-get install --no-install-recommends ${missing[*]}"
    root=(sudo)
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
own_policy=
finish() {
    rm -f "$log"
    [ -z "$own_policy" ] || "${root[@]}" rm -f "$policy"
}
trap finish EXIT
[ ${#root[@]} -eq 0 ] || sudo -v || die "sudo is needed to install: ${missing[*]}"

# Asked by Debian's packages before they start a service; 101 means "do not".
if [ ! -e "$policy" ]; then
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    "${root[@]}" chmod 755 "$policy"
fi

say "Installing Debian packages (${#missing[@]} and what they depend on):"
printf '%s ' "${missing[@]}" | fold -s -w 110 | sed 's/^/  /'
echo
# runs apt-get quietly; on a terminal a line shows how far it is; on failure its output is shown.
apt() {
    local pid started=$SECONDS
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
        -o Acquire::Retries=3 "$@" </dev/null >"$log" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 1
        [ ! -t 1 ] || printf '\r  apt-get %s: %d unpacked, %d set up, %s  ' "$1" \
            "$(grep -c '^Unpacking' "$log" || true)" "$(grep -c '^Setting up' "$log" || true)" "$(span $((SECONDS - started)))"
    done
    [ ! -t 1 ] || printf '\r\e[K'
    wait "$pid" || {
        tail -n 40 "$log" >&2
        return 1
    }
}
started=$SECONDS
apt update || die "apt-get update failed (its output is above)"
apt install --no-install-recommends "${missing[@]}" || die "apt-get install failed (its output is above)"
say "  done in $(span $((SECONDS - started)))"
