#!/bin/bash
# A real S3 server for tests and demos: Ceph RGW on one monitor and one object store in memory, on loopback only.
#
#   rgw.sh start DIR PORT [--tls]   starts it; data, logs and pid files go to DIR (new or empty). Prints shell exports:
#                                   RGW_ENDPOINT, RGW_TLS_ENDPOINT and RGW_CA_FILE (with --tls), AWS_ACCESS_KEY_ID,
#                                   AWS_SECRET_ACCESS_KEY, AWS_REGION, RGW_ROLE_ARN (a role that the user may assume
#                                   through STS). Uses PORT (S3), PORT+1 (monitor) and PORT+2 (S3 over TLS).
#   rgw.sh restart-gateway DIR      stops radosgw the hard way and starts it again: an outage of about a second
#   rgw.sh stop-gateway DIR         the first half of that
#   rgw.sh start-gateway DIR        the second half
#   rgw.sh configure DIR NAME VALUE changes an option of the gateway ("rgw s3 auth use sts" false) and restarts it
#   rgw.sh stop DIR                 stops everything that start started, and returns when all of it is gone
#
# Needs Debian's ceph-mon, ceph-osd, radosgw (apt-get install --no-install-recommends) and, with --tls, openssl. Runs as any
# user. Processes are stopped by the pid files in DIR and only when the process still belongs to this DIR, so several
# instances live side by side. The keys below open nothing but this throw-away server.
set -euo pipefail

readonly access_key=BOATSWAINTESTKEY secret_key=boatswain-test-secret region=us-east-1 role=uploader
readonly wait_seconds=60

die() { echo "rgw.sh: $*" >&2; exit 1; }

write_configuration() {  # DIR PORT TLS
    local dir=$1 port=$2 tls=$3 frontends="beast endpoint=127.0.0.1:$2"
    if [ "$tls" = yes ]; then frontends+=" ssl_endpoint=127.0.0.1:$((port + 2)) ssl_certificate=$dir/tls/server.pem"; fi
    # cephx stays on: with "auth ... = none" this radosgw waits for ever at its start. A single replica, one placement group
    # a pool and a store in memory keep the start short. Sessions of one second let tests watch one expire.
    cat > "$dir/ceph.conf" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = v2:127.0.0.1:$((port + 1))/0
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
keyring = $dir/keyring
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail crit = 0
mon osd full ratio = 0.99
mon pg warn min per osd = 0
ms bind ipv6 = false
run dir = $dir/run
admin socket = $dir/run/\$name.asok
log file = $dir/log/\$name.log
crash dir = $dir/run
[mon.a]
mon data = $dir/mon
mon cluster log file = $dir/log/cluster.log
pid file = $dir/mon.pid
[osd.0]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 4294967296
osd class load list = *
osd class default list = *
pid file = $dir/osd.pid
[client.rgw.a]
rgw data = $dir/rgw
rgw frontends = $frontends
pid file = $dir/rgw.pid
rgw thread pool size = 64
rgw override bucket index max shards = 1
rgw dns name = localhost
rgw sts key = abcdefghijklmnop
rgw s3 auth use sts = true
rgw sts min session duration = 1
CONF
}

make_certificates() {  # DIR: an authority of our own, and a server certificate for localhost and 127.0.0.1
    local tls=$1/tls
    mkdir -p "$tls"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=Boatswain test authority' \
        -keyout "$tls/ca.key" -out "$tls/ca.pem" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
        -keyout "$tls/server.key" -out "$tls/server.csr" 2>/dev/null
    openssl x509 -req -in "$tls/server.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 2 \
        -extfile <(echo 'subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1') -out "$tls/server.crt" 2>/dev/null
    cat "$tls/server.key" "$tls/server.crt" > "$tls/server.pem"
}

make_keyring() {  # DIR
    local dir=$1 name
    ceph-authtool -C "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
    for name in client.admin client.rgw.a; do
        ceph-authtool "$dir/keyring" --gen-key -n "$name" --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
    done
    ceph-authtool "$dir/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' >/dev/null
}

# The daemons put themselves into the background and leave their pid files. They must not keep our caller's pipes open.
start_monitor() {  # DIR PORT
    local dir=$1 port=$2
    monmaptool --create --fsid "$(sed -n 's/^fsid = //p' "$dir/ceph.conf")" --addv a "[v2:127.0.0.1:$((port + 1))]" "$dir/monmap" >/dev/null
    ceph-mon -c "$dir/ceph.conf" --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring" >/dev/null
    ceph-mon -c "$dir/ceph.conf" -i a >>"$dir/log/start.log" 2>&1
}

start_object_store() {  # DIR
    local dir=$1 uuid
    uuid=$(cat /proc/sys/kernel/random/uuid)
    timeout "$wait_seconds" ceph -c "$dir/ceph.conf" osd new "$uuid" >/dev/null
    {
        timeout "$wait_seconds" ceph -c "$dir/ceph.conf" auth import -i "$dir/keyring"
        ceph-osd -c "$dir/ceph.conf" -i 0 --mkfs --osd-uuid "$uuid"
        ceph-osd -c "$dir/ceph.conf" -i 0 --osd-uuid "$uuid"
    } >>"$dir/log/start.log" 2>&1
}

start_gateway() {  # DIR
    local dir=$1 port deadline=$((SECONDS + wait_seconds))
    port=$(cat "$dir/port")
    radosgw -c "$dir/ceph.conf" -n client.rgw.a >>"$dir/log/start.log" 2>&1
    # Somebody else may listen on the port: what answers must speak S3, and our own gateway must be alive to be it.
    until curl --noproxy '*' -fsS -o /dev/null -D - "http://127.0.0.1:$port/" 2>/dev/null | grep -qi '^x-amz-request-id:' && pid_of "$dir" rgw >/dev/null; do
        [ "$SECONDS" -lt "$deadline" ] || die "radosgw did not answer on port $port within $wait_seconds s; see $dir/log"
        sleep 0.1
    done
}

make_user_and_role() {  # DIR
    local admin=(radosgw-admin -c "$1/ceph.conf")
    "${admin[@]}" user create --uid=boatswain --display-name=boatswain --access-key="$access_key" --secret-key="$secret_key" >/dev/null
    "${admin[@]}" role create --role-name="$role" --assume-role-policy-doc='{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"AWS":["arn:aws:iam:::user/boatswain"]},"Action":["sts:AssumeRole"]}]}' >/dev/null
    "${admin[@]}" role-policy put --role-name="$role" --policy-name=all --policy-doc='{"Version":"2012-10-17","Statement":[{
        "Effect":"Allow","Action":["s3:*"],"Resource":"arn:aws:s3:::*"}]}' >/dev/null
}

configure() {  # DIR NAME VALUE
    sed -i "/^$2 = /d" "$1/ceph.conf"
    echo "$2 = $3" >> "$1/ceph.conf"  # the gateway's section is the last one
    stop_one "$1" rgw KILL
    start_gateway "$1"
}

print_exports() {  # DIR
    local dir=$1 port
    port=$(cat "$dir/port")
    echo "export RGW_ENDPOINT=http://127.0.0.1:$port"
    if [ -f "$dir/tls/ca.pem" ]; then
        echo "export RGW_TLS_ENDPOINT=https://localhost:$((port + 2))"
        echo "export RGW_CA_FILE=$dir/tls/ca.pem"
    fi
    echo "export AWS_ACCESS_KEY_ID=$access_key AWS_SECRET_ACCESS_KEY=$secret_key AWS_REGION=$region"
    echo "export RGW_ROLE_ARN=arn:aws:iam:::role/$role"
}

start() {  # DIR PORT [--tls]
    local dir=${1:?DIR} port=${2:?PORT} tls=no tool
    if [ "${3:-}" = --tls ]; then tls=yes; fi
    for tool in ceph-mon ceph-osd radosgw radosgw-admin ceph curl; do
        command -v "$tool" >/dev/null || die "$tool is missing: apt-get install --no-install-recommends ceph-mon ceph-osd radosgw curl"
    done
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    [ ! -e "$dir/ceph.conf" ] || die "$dir holds a server already"
    mkdir -p "$dir"/{mon,osd,rgw,run,log}
    echo "$port" > "$dir/port"
    if [ "$tls" = yes ]; then make_certificates "$dir"; fi
    write_configuration "$dir" "$port" "$tls"
    # shellcheck disable=SC2064 # $dir is gone by then
    trap "stop '$dir'" EXIT  # a start that fails leaves nothing running
    make_keyring "$dir"
    start_monitor "$dir" "$port"
    start_object_store "$dir"
    start_gateway "$dir"
    make_user_and_role "$dir"
    trap - EXIT
    print_exports "$dir"
}

# The process of DIR/NAME.pid, if it lives and was started for this DIR; a pid that was given to somebody else is not ours.
pid_of() {  # DIR NAME
    local file=$1/$2.pid pid
    [ -s "$file" ] || return 1
    pid=$(tr -dc 0-9 < "$file")
    [ -n "$pid" ] && tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$1/ceph.conf" || return 1
    echo "$pid"
}

stop_one() {  # DIR NAME SIGNAL
    local pid deadline=$((SECONDS + 10))
    pid=$(pid_of "$1" "$2") || return 0
    kill "-$3" "$pid" 2>/dev/null || true
    while pid_of "$1" "$2" >/dev/null; do
        if [ "$SECONDS" -ge "$deadline" ]; then kill -KILL "$pid" 2>/dev/null || true; deadline=$((SECONDS + 10)); fi
        sleep 0.05
    done
    rm -f "$1/$2.pid"
}

stop() {  # DIR
    local name
    # The store is in memory: nothing is worth a gentle end, and a gentle one takes radosgw seconds.
    for name in rgw osd mon; do stop_one "$1" "$name" KILL; done
}

main() {
    local command=${1:-}
    if [ $# -lt 2 ]; then sed -n '2,/^set -/p' "$0" | sed 's/^# \{0,1\}//; /^set -/d' >&2; exit 2; fi
    shift
    if [ "$command" != start ]; then
        [ -d "$1" ] || die "$1: no such directory"
        set -- "$(cd "$1" && pwd)" "${@:2}"
    fi
    case "$command" in
        start) start "$@" ;;
        stop) stop "$1" ;;
        stop-gateway) stop_one "$1" rgw KILL ;;
        start-gateway) start_gateway "$1" ;;
        restart-gateway) stop_one "$1" rgw KILL; start_gateway "$1" ;;
        configure) configure "$1" "${2:?NAME}" "${3:?VALUE}" ;;
        *) die "unknown command $command: start, stop, stop-gateway, start-gateway, restart-gateway, configure" ;;
    esac
}

main "$@"
