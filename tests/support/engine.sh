#!/bin/bash
# A private Docker engine for tests and the demo.
#
#   engine.sh start DIR [--data-root PATH] [any other option of dockerd...]
#   engine.sh stop DIR
#   engine.sh stop-daemon DIR [SIGNAL]   ends dockerd alone (TERM), as an upgrade or a crash (KILL) does
#   engine.sh start-daemon DIR           starts it again with the options that it had
#   engine.sh restart DIR [SIGNAL]       both
#
# `start` runs Debian's dockerd with a containerd of its own, everything under DIR, and returns when it answers and has the image
# bw/busybox (made of busybox-static, nothing is downloaded). Several such engines, and a system one, live side by side. Talk to it
# with `docker -H unix://DIR/docker.sock`. Containers have no network: no bridge and no firewall rule is made.
# `stop` ends the engine and its containers by their process ids, unmounts what is left under DIR, and removes DIR.
# `stop` of a directory that is not there, or half started, succeeds. What `stop-daemon` does to containers is dockerd's affair: with
# --live-restore they run on, without it they end.
#
# BOATSWAIN_TEST_ENGINE=SUITE: the engine of a newer Debian suite (trixie: 26.1, sid: 28.5 or later) instead of this machine's. Its packages
# are unpacked by debootstrap, from the mirror that apt uses here, into BOATSWAIN_ENGINES (/var/cache/boatswain-engines), once: a minute or
# two, 500 MB. dockerd runs there in a chroot and a mount namespace of its own that share /tmp and /run/docker with the host, so DIR must
# lie under /tmp; DIR/bin/docker is that suite's command. DOCKER_MIN_API_VERSION=1.44 makes 28.5 as strict as 29 is.
#   engine.sh unpack DIR                 does only that; DIR is not looked at
# BOATSWAIN_TEST_ENGINE_WITH=userns-remap or =containerd-snapshotter (images in containerd's store, as Docker 29 has them) sets that. Its
# root is made by pivot_root then, since a chroot allows no user namespaces.
# BOATSWAIN_TEST_ENGINE_WITH=rootless: this machine's dockerd as an ordinary user, ROOTLESS_USER, by rootlesskit. No such user is made: the
# engine has lists of users of its own, in a mount namespace. Needs the packages uidmap and rootlesskit.
#
# Needs root (or a user who may act as root) and the packages docker.io and busybox-static. What is not private, because dockerd
# hard-codes it: log-driver plugins are looked up in /run/docker/plugins, their FIFOs are made in /run/docker/logging.
set -euo pipefail

# A unix socket's path holds 107 bytes, and containerd's is 41 longer than DIR.
dir_bytes_max=64
start_seconds_max=120
rootless_user=54321  # its id and its group's; ids from 100000 on are its containers'
start_tries_max=3
stop_seconds_max=60

say() { echo "engine.sh: $*" >&2; }
die() { say "$*"; exit 1; }

usage() { sed -n '4,8p' "$0" >&2; exit 2; }

[ $# -ge 2 ] || usage
command=$1
dir=$2
shift 2
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
dir=$(realpath -m "$dir")
[ "$dir" != / ] || die "DIR must not be /"
engine_pid_file=$dir/dockerd.pid
socket=$dir/docker.sock

suite=${BOATSWAIN_TEST_ENGINE:-}
suite_root=${BOATSWAIN_ENGINES:-/var/cache/boatswain-engines}/$suite

docker() { PATH=$dir/bin:$PATH DOCKER_CONFIG=$dir/cli DOCKER_HOST=unix://$socket DOCKER_CONTEXT='' command docker "$@"; }

alive() { kill -0 "$1" 2>/dev/null && [ "$(ps -o stat= -p "$1" 2>/dev/null | cut -c1)" != Z ]; }

# Waits until none of the processes is alive, at most so many seconds.
wait_gone() {
    local seconds=$1 end pid left
    shift
    end=$((SECONDS + seconds))
    while :; do
        left=
        for pid in "$@"; do if alive "$pid"; then left=yes; fi; done
        [ -n "$left" ] || return 0
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

end_process() {  # PID SECONDS: asks, waits, then insists
    alive "$1" || return 0
    kill "$1" 2>/dev/null || true
    wait_gone "$2" "$1" && return 0
    kill -9 "$1" 2>/dev/null || true
    wait_gone 5 "$1" || say "process $1 does not end"
}

# Processes that name our containerd's socket on their command line: its shims (parents of the containers).
shims() {
    local file
    for file in /proc/[0-9]*/cmdline; do
        # A process may end while we look.
        if { tr '\0' '\n' <"$file"; } 2>/dev/null | grep -qxF "$dir/exec/containerd/containerd.sock"; then
            file=${file#/proc/}
            echo "${file%/cmdline}"
        fi
    done
}

make_image() {
    local tree=$dir/image busybox
    busybox=$(command -v busybox) || die "busybox is missing: apt-get install busybox-static"
    mkdir -p "$tree"/{bin,tmp,etc,proc,dev}
    chmod 1777 "$tree/tmp"
    cp "$busybox" "$tree/bin/busybox"
    "$busybox" --list | while read -r applet; do
        [ "$applet" = busybox ] || ln -sf busybox "$tree/bin/$applet"
    done
    echo 'root:x:0:0:root:/:/bin/sh' >"$tree/etc/passwd"
    tar -C "$tree" -c . | docker import -c 'ENV PATH=/bin' -c 'CMD ["/bin/sh"]' - bw/busybox >/dev/null
    rm -rf "$tree"
}

mirror() {
    awk '$1 == "URIs:" {print $2; exit} $1 == "deb" {for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) {print $i; exit}}' \
        /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null
}

# Once for all tests that run at the same time.
unpack() {
    [ -n "$suite" ] || die "BOATSWAIN_TEST_ENGINE names no suite"
    mkdir -p "$suite_root"
    exec 9>"$suite_root.lock"
    flock 9
    if [ ! -e "$suite_root/.unpacked" ]; then
        command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
        rm -rf --one-file-system "$suite_root"
        # Neither asks anything nor starts a service: it is never booted.
        debootstrap --variant=minbase --include=docker.io,docker-cli,iptables "$suite" "$suite_root" "$(mirror)" \
            >"$suite_root.log" 2>&1 || { tail -5 "$suite_root.log" >&2; die "the suite $suite cannot be unpacked"; }
        touch "$suite_root/.unpacked"
    fi
    flock -u 9
    exec 9>&-
}

# The suite's own docker command with its own libraries: an older one is refused by an engine with a minimum.
make_suite_command() {
    local loader
    loader=$(find "$suite_root"/lib64/ "$suite_root"/lib/ -maxdepth 1 -name 'ld-linux*' 2>/dev/null | head -1)
    [ -n "$loader" ] || die "no loader in $suite_root"
    mkdir -p "$dir/bin"
    cat >"$dir/bin/docker" <<END
#!/bin/sh
exec "$loader" --library-path "$(echo "$suite_root"/usr/lib/*-linux-gnu)" "$suite_root/usr/bin/docker" "\$@"
END
    chmod +x "$dir/bin/docker"
}

# In a mount namespace of its own, so that nothing stays mounted behind it. The root must be a mount: dockerd changes its propagation.
exec_in_suite() {
    mkdir -p /run/docker /etc/docker
    # shellcheck disable=SC2016 # expanded by the inner shell
    exec unshare --mount --propagation private sh -c '
        root=$1; shift
        mkdir -p "$root/run/docker" "$root/etc/docker"
        mount --bind "$root" "$root" && mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" &&
            mount --rbind /dev "$root/dev" && mount --bind /tmp "$root/tmp" && mount --bind /run/docker "$root/run/docker" &&
            mount --bind /etc/docker "$root/etc/docker" &&
            if [ -z "${BOATSWAIN_TEST_ENGINE_WITH:-}" ]; then exec chroot "$root" "$@"
            else mkdir -p "$root/.outside" && cd "$root" && pivot_root . .outside && umount -l /.outside && exec "$@"; fi
        exit 1' sh "$suite_root" "$@"
}

rootless() { [ "${BOATSWAIN_TEST_ENGINE_WITH:-}" = rootless ]; }

make_rootless_user() {
    local list
    [ -z "$suite" ] || die "rootless runs this machine's engine alone"
    command -v rootlesskit newuidmap >/dev/null || die "rootlesskit or newuidmap is missing: apt-get install rootlesskit uidmap"
    mkdir -p "$dir/lists" "$dir/home" "$dir/run"
    for list in passwd group subuid subgid; do
        touch "/etc/$list"
        cp "/etc/$list" "$dir/lists/$list"
    done
    echo "rootless:x:$rootless_user:$rootless_user::$dir/home:/bin/sh" >>"$dir/lists/passwd"
    echo "rootless:x:$rootless_user:" >>"$dir/lists/group"
    for list in subuid subgid; do echo "rootless:100000:65536" >"$dir/lists/$list"; done
    chown -R "$rootless_user:$rootless_user" "$dir"
    chown -R 0:0 "$dir/lists"
    chmod 700 "$dir/run"
}

exec_rootless() {
    # shellcheck disable=SC2016 # expanded by the inner shells
    exec unshare --mount --propagation private sh -c '
        dir=$1 user=$2; shift 2
        for list in passwd group subuid subgid; do mount --bind "$dir/lists/$list" "/etc/$list" || exit 1; done
        exec setpriv --reuid "$user" --regid "$user" --clear-groups env -i PATH="$PATH" HOME="$dir/home" XDG_RUNTIME_DIR="$dir/run" \
            rootlesskit --net=host --copy-up=/run --state-dir "$dir/run/kit" sh -c '\''rm -rf /run/docker /run/containerd; exec "$@"'\'' sh "$@"
        exit 1' sh "$dir" "$rootless_user" "$@"
}

settings() {
    case ${BOATSWAIN_TEST_ENGINE_WITH:-} in
        '') echo '{}' ;;
        rootless) echo '{"storage-driver": "vfs"}' ;;
        containerd-snapshotter) echo '{"features": {"containerd-snapshotter": true}}' ;;
        userns-remap)
            [ -n "$suite" ] || die "userns-remap makes a user, so only in another suite"
            echo '{"userns-remap": "default"}' ;;
        *) die "BOATSWAIN_TEST_ENGINE_WITH: $BOATSWAIN_TEST_ENGINE_WITH is not known" ;;
    esac
}

start() {
    local data_root=$dir/root
    if [ "${1:-}" = --data-root ]; then
        data_root=$2
        shift 2
    fi
    [ ${#dir} -le $dir_bytes_max ] || die "$dir is longer than $dir_bytes_max bytes: unix sockets in it would not open"
    [ ! -e "$socket" ] || die "$dir has an engine already: engine.sh stop $dir"
    [ "$(id -u)" = 0 ] || die "must be root"
    if [ -n "$suite" ]; then
        case $dir in /tmp/*) ;; *) die "$dir is not under /tmp, which the engine of another suite shares" ;; esac
        unpack
        make_suite_command
    fi
    mkdir -p "$dir/exec" "$dir/cli" "$data_root"
    echo "$data_root" >"$dir/data-root"
    # An empty configuration file keeps a system engine's /etc/docker/daemon.json out.
    settings >"$dir/daemon.json"
    printf '%s\0' "$@" >"$dir/options"
    if rootless; then make_rootless_user; fi
    start_daemon
    docker image inspect bw/busybox >/dev/null 2>&1 || make_image
}

in_own_session() {
    if rootless; then
        exec setsid bash -c "$(declare -f exec_rootless); dir=\$1 rootless_user=\$2; shift 2; exec_rootless \"\$@\"" bash "$dir" "$rootless_user" "$@"
    fi
    [ -z "$suite" ] || exec setsid bash -c "$(declare -f exec_in_suite); suite_root=\$1; shift; exec_in_suite \"\$@\"" bash "$suite_root" "$@"
    exec setsid "$@"
}

start_daemon() {
    local dockerd options=()
    if [ -n "$suite" ]; then
        dockerd=/usr/sbin/dockerd
    else
        dockerd=$(PATH=/usr/sbin:$PATH command -v dockerd) || die "dockerd is missing: apt-get install docker.io"
    fi
    # printf without arguments prints its format once: an empty option is none.
    mapfile -d '' -t options <"$dir/options"
    [ -n "${options[0]:-}" ] || options=()
    if rootless; then options+=(--rootless); fi
    # As the leader of its own session it outlives the caller's terminal, and a Ctrl-C there does not reach it.
    PATH=/usr/sbin:/usr/bin:/sbin:/bin DOCKER_HOST='' in_own_session "$dockerd" --config-file "$dir/daemon.json" \
        -H "unix://$socket" --data-root "$(cat "$dir/data-root")" --exec-root "$dir/exec" --pidfile "$engine_pid_file" \
        --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --bridge=none --shutdown-timeout 3 \
        "${options[@]}" >>"$dir/dockerd.log" 2>&1 </dev/null &
    local pid=$! end=$((SECONDS + start_seconds_max))
    until docker version >/dev/null 2>&1; do
        if ! alive "$pid"; then
            # dockerd gives its containerd 15 s, which a machine that is busy may not have: that is no reason to give up.
            if [ "${tries:=1}" -lt $start_tries_max ] && tail -5 "$dir/dockerd.log" | grep -q 'timeout waiting for containerd'; then
                tries=$((tries + 1))
                if pid=$(containerd_pid); then end_process "$pid" 5; fi
                rm -f "$engine_pid_file" "$dir/exec/containerd/containerd.pid"
                start_daemon
                return
            fi
            tail -5 "$dir/dockerd.log" >&2
            die "dockerd ended at once (its log is in $dir/dockerd.log)"
        fi
        if [ $SECONDS -ge $end ]; then
            tail -5 "$dir/dockerd.log" >&2
            die "dockerd does not answer after $start_seconds_max s"
        fi
        sleep 0.1
    done
}

# The id of the file may have been given to another process since: it must be a dockerd that names our directory.
daemon_pid() {
    local pid
    [ -s "$engine_pid_file" ] || return 1
    pid=$(cat "$engine_pid_file")
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF -- "--exec-root $dir/exec" || return 1
    echo "$pid"
}

# The containerd that dockerd started: it ends with dockerd, a moment later.
containerd_pid() {
    local pid file=$dir/exec/containerd/containerd.pid
    [ -s "$file" ] || return 1
    pid=$(cat "$file")
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF "$dir/exec/containerd/" || return 1
    echo "$pid"
}

stop_daemon() {  # SIGNAL
    local pid
    pid=$(daemon_pid) || return 0
    kill "-$1" "$pid"
    wait_gone $stop_seconds_max "$pid" || die "dockerd does not end within $stop_seconds_max s of SIG$1"
    if pid=$(containerd_pid); then wait_gone 2 "$pid" || end_process "$pid" 5; fi
    # Where nobody reaps orphans (pid 1 of a container), the pids stay taken, and the next dockerd would wait for its dead containerd.
    rm -f "$engine_pid_file" "$dir/exec/containerd/containerd.pid"
}

stop() {
    [ -d "$dir" ] || return 0
    local pid data_root=
    if [ -S "$socket" ]; then
        # dockerd waits for its containers; killing them first makes that short. A wedged engine must not hold us up.
        local running
        running=$(DOCKER_CONFIG=$dir/cli timeout 5 docker -H "unix://$socket" ps -q 2>/dev/null || true)
        # shellcheck disable=SC2086 # a list of ids
        [ -z "$running" ] || DOCKER_CONFIG=$dir/cli timeout 10 docker -H "unix://$socket" kill $running >/dev/null 2>&1 || true
    fi
    if pid=$(daemon_pid); then end_process "$pid" $stop_seconds_max; fi
    if pid=$(containerd_pid); then end_process "$pid" 5; fi
    for pid in $(shims); do
        pkill -9 -P "$pid" 2>/dev/null || true  # the container itself: a child of this one shim
        end_process "$pid" 2
    done
    [ ! -s "$dir/data-root" ] || data_root=$(cat "$dir/data-root")
    local place mounted
    for place in "$dir" $data_root; do
        # Deepest first. A mount that is still busy is detached.
        awk -v under="$place/" 'index($2, under) == 1 {print $2}' /proc/self/mounts | sort -r | while read -r mounted; do
            umount "$mounted" 2>/dev/null || umount -l "$mounted" 2>/dev/null || true
        done
    done
    rm -rf "$dir" 2>/dev/null || { sleep 0.5; rm -rf "$dir"; }
}

case $command in
    unpack) unpack ;;
    start) start "$@" ;;
    stop) stop ;;
    stop-daemon) stop_daemon "${1:-TERM}" ;;
    start-daemon) start_daemon ;;
    restart)
        stop_daemon "${1:-TERM}"
        start_daemon
        ;;
    *) usage ;;
esac
