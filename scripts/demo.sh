#!/usr/bin/env bash
# demo.sh [--once] [--s3]: the main job, end to end, on a real Docker engine. Run it as `./dev demo`, which builds first.
#
#   --once  show everything, clean up, and exit 0; or non-zero with the reason
#   --s3    store in a real S3 server, started for the occasion, instead of a directory
#
# The engine is that of DOCKER_HOST, else /var/run/docker.sock, when it answers; else a private one is started. Of somebody's
# engine the demo touches only what it makes: containers named boatswain-demo-*, and the image boatswain-demo/busybox.
# Everything else lies in one temporary directory. All of it is gone at the end, however the end comes.
# shellcheck disable=SC2016 # what is in single quotes is expanded by the containers' shells
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

once=no s3=no
for argument in "$@"; do
    case $argument in
        --once) once=yes ;;
        --s3) s3=yes ;;
        -h | --help) sed -n '2,/^set -/{/^set -/d;/^# shellcheck/d;s/^# \{0,1\}//;p}' "$0" && exit ;;
        *) die "./dev demo does not know '$argument' (it knows --once and --s3)" ;;
    esac
done

PATH=$PATH:/usr/sbin:/sbin
readonly image=boatswain-demo/busybox prefix=boatswain-demo wait_seconds=60 bucket=boatswain-demo
# For printf. What Docker's json-file driver keeps exactly: all of UTF-8, control characters too.
readonly odd_bytes='bell \007, nul \000, tab \t, return \r, colour \033[32mgreen\033[0m, \303\251\360\237\232\242\nno newline at the end'
readonly daemon=$PWD/build/release/boatswaind tool=$PWD/build/release/boatswain
for program in "$daemon" "$tool"; do [ -x "$program" ] || die "$program is not there: ./dev build"; done

# The engine keeps containers' logs where only root may read, and a private engine needs root to run.
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then
    note "Going on as root (the files in which the engine keeps output are root's): sudo may ask for your password."
    exec sudo env ${DOCKER_HOST:+DOCKER_HOST="$DOCKER_HOST"} ${DOCKER_TLS_VERIFY:+DOCKER_TLS_VERIFY="$DOCKER_TLS_VERIFY"} \
        ${DOCKER_CERT_PATH:+DOCKER_CERT_PATH="$DOCKER_CERT_PATH"} ${NO_COLOR:+NO_COLOR="$NO_COLOR"} "$0" "$@"
fi

# ---------------------------------------------------------------- what is started, and how it ends

place='' hub='' engine='' agent='' server='' private_engine='' s3_server='' made_image=''
containers=()

docker() { DOCKER_CONTEXT='' DOCKER_HOST=$engine command docker "$@"; }

# Ends the agent as an operator does, so that it seals and stores what it holds.
stop_agent() {
    [ -n "$agent" ] || return 0
    kill -TERM "$agent" 2>/dev/null || true
    for _ in $(seq 300); do
        kill -0 "$agent" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$agent" 2>/dev/null; then
        note "the agent (process $agent) does not end within 30 s of SIGTERM: killed"
        kill -KILL "$agent" 2>/dev/null || true
    fi
    wait "$agent" 2>/dev/null || true
    agent=
}

stop_server() {
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}

clean_up() {
    local status=$? left=0
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    [ -z "$place" ] || {
        heading "Cleaning up"
        if [ "$status" -ne 0 ] && [ "$status" -ne 130 ] && [ -s "$place/agent.log" ]; then
            say "The agent's last words:"
            tail -n 15 "$place/agent.log" | sed 's/^/    /'
        fi
        stop_server
        stop_agent
        # By label, and again: an interrupted `docker run` may still be making its container.
        for _ in 1 2 3; do
            [ ${#containers[@]} -gt 0 ] || break
            docker ps -aq --filter "label=boatswain.demo=$run" | xargs -r env DOCKER_CONTEXT= DOCKER_HOST="$engine" docker rm -f
            [ -n "$(docker ps -aq --filter "label=boatswain.demo=$run")" ] || break
        done >/dev/null 2>&1
        if [ -n "$made_image" ]; then docker rmi "$image" >/dev/null 2>&1; fi
        if [ -z "$private_engine" ] && [ -n "$engine" ]; then
            left=$(docker ps -aq --filter "label=boatswain.demo=$run" | wc -l)
        fi
        [ -z "$private_engine" ] || tests/support/engine.sh stop "$place/engine" 2>/dev/null || left=1
        [ -z "$s3_server" ] || tests/support/rgw.sh stop "$place/s3" 2>/dev/null || left=1
        rm -rf "$place" || left=1
        if [ "$left" = 0 ] && [ ! -e "$place" ]; then say "Everything this demo started is gone."; else
            say "Not everything could be removed; see: docker ps -a --filter label=boatswain.demo=$run, and $place"
            [ "$status" -ne 0 ] || status=1
        fi
    }
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# Not inside a long TMPDIR: the names of unix sockets are short.
place=$(mktemp -d /tmp/boatswain-demo.XXXXXX)
chmod 755 "$place"
readonly run=${place##*.} keys=$place/keys metrics=$place/metrics

# A free TCP port, with the next one free too.
free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 20000))
        # What can be connected to is taken.
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && ! (exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    die "no free port was found"
}

# ---------------------------------------------------------------- engine, store, keys


choose_engine() {
    local candidate=${DOCKER_HOST:-unix:///var/run/docker.sock} taken
    heading "A Docker engine"
    if DOCKER_CONTEXT='' DOCKER_HOST=$candidate timeout 5 docker version >/dev/null 2>&1; then
        engine=$candidate
        say "Using the engine at $candidate. The demo adds containers named $prefix-*, and removes them again."
    else
        [ -z "${DOCKER_HOST:-}" ] || say "The engine at DOCKER_HOST=$DOCKER_HOST does not answer."
        [ "$(id -u)" = 0 ] || die "no Docker engine answers, and starting a private one needs root: run as root or install sudo"
        say "Starting a private engine (nothing is downloaded)."
        private_engine=yes
        tests/support/engine.sh start "$place/engine" >"$place/engine.out" 2>&1 ||
            die "the private engine did not start: $(tail -n 5 "$place/engine.out")"
        engine=unix://$place/engine/docker.sock
    fi
    taken=$(docker ps -a --filter "name=^/$prefix-" --format '{{.Names}}' | tr '\n' ' ')
    [ -z "$taken" ] || die "containers of another demo are there: docker rm -f $taken"
}

# An image of Debian's own busybox: works without any registry.
make_image() {
    local tree=$place/image busybox
    busybox=$(command -v busybox)
    mkdir -p "$tree/bin"
    cp "$busybox" "$tree/bin/busybox"
    "$busybox" --list | while read -r applet; do [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"; done
    made_image=yes
    tar -C "$tree" -c . | docker import -c 'ENV PATH=/bin' - "$image" >/dev/null
}

choose_store() {
    heading "A store"
    if [ "$s3" = no ]; then
        store_url=dir:$place/store
        say "A directory: $place/store"
        return
    fi
    local port
    port=$(free_port)
    say "Starting an S3 server (Ceph RGW) on port $port."
    s3_server=yes
    tests/support/rgw.sh start "$place/s3" "$port" >"$place/s3.exports" 2>"$place/s3.err" ||
        die "the S3 server did not start: $(tail -n 5 "$place/s3.err")"
    # shellcheck source=/dev/null
    . "$place/s3.exports"
    s3_client make_bucket
    store_url="s3://$bucket/logs?endpoint=$RGW_ENDPOINT&region=$AWS_REGION&path_style=true"
    say "Bucket $bucket at $RGW_ENDPOINT"
}

# s3_client make_bucket | download DIR: with an S3 client that is not ours.
s3_client() {
    /usr/bin/python3 - "$RGW_ENDPOINT" "$bucket" "$@" <<'PY'
import os, sys
import boto3, botocore.config

endpoint, bucket, action, *rest = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name=os.environ["AWS_REGION"],
                  config=botocore.config.Config(s3={"addressing_style": "path"}, proxies={}))
if action == "make_bucket":
    s3.create_bucket(Bucket=bucket)
else:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            path = os.path.join(rest[0], entry["Key"])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            s3.download_file(bucket, entry["Key"], path)
PY
}

make_keys() {
    heading "Keys"
    mkdir "$keys" "$place/keyring"
    local tenant
    for tenant in acme globex _unassigned; do
        "$tool" keys new "$tenant" --out "$keys" >/dev/null
        mv "$keys/$tenant.pub" "$place/keyring/"
    done
    say "The host gets the public halves, which can only seal:"
    (cd "$place/keyring" && grep -H '^age1' acme.pub globex.pub _unassigned.pub) | sed 's/^/    /'
    say "The .key files, which open, stay with the tenants (_unassigned: with the operator)."
}

# ---------------------------------------------------------------- containers

# What each finite container must be found to have printed, in lines; and what it is.
declare -A lines_of=()

# start NAME LINES [docker run options... --] COMMAND: LINES is how many lines it prints before it slows down or ends.
start() {
    local name=$prefix-$1 lines=$2 options=()
    shift 2
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    containers+=("$name")
    docker run -d --name "$name" --log-driver json-file --network none --label "boatswain.demo=$run" "${options[@]}" \
        "$image" sh -c "$1" >/dev/null
    lines_of[$name]=$lines
}

# Some are there before the agent...
start_first_containers() {
    heading "Containers of two tenants"
    make_image
    # Endless ones print a handful at once, then a line every second.
    local time='$(date -u +%Y-%m-%dT%H:%M:%SZ)' pace='i=$((i+1)); [ $i -lt 40 ] || sleep 1'
    start web 40 -e BOATSWAIN_TENANT=acme -e BOATSWAIN_APP=shop/web -- "i=0; while :; do
        echo \"10.2.0.\$((i%250)) - - [$time] \\\"GET /api/v1/orders/\$((i*37%9000)) HTTP/1.1\\\" 200 \$((i*971%30000)) \\\"-\\\" \\\"curl/7.88.1\\\"\"
        $pace; done"
    start orders 40 --label boatswain.tenant=acme --label boatswain.app=shop/orders -- "i=0; while :; do
        echo \"{\\\"time\\\":\\\"$time\\\",\\\"msg\\\":\\\"order accepted\\\",\\\"order\\\":\$((1000+i)),\\\"customer\\\":\\\"<anonymous>\\\"}\"
        $pace; done"
    start worker 8 -e BOATSWAIN_TENANT=acme -e BOATSWAIN_APP=shop/worker -- 'echo "job 17 started"
        { echo "Exception in thread \"main\" java.lang.IllegalStateException: no stock for order 1017"
          for at in "OrderService.accept(OrderService.java:88)" "Worker.run(Worker.java:41)" "Main.main(Main.java:12)"; do
              printf "\tat com.example.shop.%s\n" "$at"; done
          echo "Caused by: java.util.concurrent.TimeoutException: inventory did not answer"
          printf "\t... 3 more\n"; } >&2
        sleep 0.2; echo "job 17 failed"; sleep 100000'
    start tank 40 -e BOATSWAIN_TENANT=globex -e BOATSWAIN_APP=plant/tank -- "i=0; while :; do
        echo \"ts=$time level=info sensor=tank-\$((i%4)) litres=\$((i*13%5000)) secret=globex-only\"
        $pace; done"
    start stray 3 -- 'echo "nobody said whose I am"; echo "so I am sealed"; echo "for the operator"'
    cat <<TXT
    acme    $prefix-web      access log
            $prefix-orders   JSON
            $prefix-worker   a stack trace on stderr
    globex  $prefix-tank     logfmt
    nobody  $prefix-stray    no tenant is named: sealed for the operator
TXT
}

# ... and some come while it runs.
start_more_containers() {
    start migrate 200 --rm -e BOATSWAIN_TENANT=acme -e BOATSWAIN_APP=shop/migrate -- \
        'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo "migrating row $i of 200"; done'
    start bytes 2 -e BOATSWAIN_TENANT=globex -e BOATSWAIN_APP=plant/probe -- "printf '$odd_bytes'"
    cat <<TXT
    While it runs, two more come and end:
    acme    $prefix-migrate  200 lines, --rm: gone at once, its log file too
    globex  $prefix-bytes    control characters, no newline at the end
TXT
}

# ---------------------------------------------------------------- the agent

start_agent() {
    heading "The agent"
    listen=127.0.0.1:$(free_port)
    hub=127.0.0.1:$(free_port) # of the server that comes later: lines are seen there as they are printed
    "$tool" fleet key new --out "$place/fleet.key" >/dev/null
    cat >"$place/boatswain.toml" <<TOML
state_dir = "$place/state"
host = "demo-host"
listen = "$listen"
[engine]
socket = "${engine#unix://}"
[docker]
include = ["label:boatswain.demo=$run"]     # of somebody's engine, only what this demo started
[store]
url = "$store_url"
[tenancy]
keyring = "$place/keyring"
unassigned = "quarantine"
[batch]
flush_after = "2s"
[fleet]
key = "$place/fleet.key"
[follow]
hub = ["http://$hub"]
TOML
    sed 's/^/    /' "$place/boatswain.toml"
    launch_agent
    for _ in $(seq 100); do
        agent_lives
        ! read_metrics || return 0
        sleep 0.1
    done
    die "the agent does not answer at http://$listen/metrics"
}

launch_agent() {
    "$daemon" agent --config "$place/boatswain.toml" >>"$place/agent.log" 2>&1 </dev/null &
    agent=$!
    echo "$agent" >"$place/agent.pid"
}

agent_lives() { kill -0 "$agent" 2>/dev/null || die "the agent ended: $(tail -n 1 "$place/agent.log")"; }

read_metrics() { curl --noproxy '*' -fsS -m 5 "http://$listen/metrics" >"$metrics" 2>/dev/null; }

# The sum of a metric over its series.
metric() { awk -v name="$1" 'index($1, name) == 1 && (length($1) == length(name) || substr($1, length(name) + 1, 1) == "{") {
    sum += $NF } END { printf "%d", sum }' "$metrics"; }

progress() {
    read_metrics || true
    progress_line=$(printf '%s lines read, %s lines sealed into %s segments, %s stored' "$(metric boatswain_read_lines_total)" \
        "$(metric boatswain_sealed_lines_total)" "$(metric boatswain_sealed_segments_total)" "$(metric boatswain_uploads_total)")
    if [ -t 1 ]; then printf '\r\e[K    %s' "$progress_line"; elif [ "$progress_line" != "${progress_shown:-}" ]; then
        say "    $progress_line"
        progress_shown=$progress_line
    fi
}

logs() { # TENANT KEY [more]: what stock users would type
    local tenant=$1 key=$2
    shift 2
    "$tool" logs --store "$store_url" --identity "$keys/$key.key" --tenant "$tenant" "$@"
}

tenant_of() { case $1 in *-tank | *-bytes) echo globex ;; *-stray) echo _unassigned ;; *) echo acme ;; esac; }

# The containers whose lines are not all stored yet.
waited_for() {
    local name tenant
    for name in "${containers[@]}"; do
        tenant=$(tenant_of "$name")
        [ "$(logs "$tenant" "$tenant" --container "$name" --output json 2>/dev/null | wc -l)" -ge "${lines_of[$name]}" ] ||
            echo "$name"
    done
}

wait_for_lines() {
    heading "Lines arrive"
    local end=$((SECONDS + wait_seconds)) stored=0 now missing=${containers[*]}
    while [ -n "$missing" ]; do
        agent_lives
        progress
        now=$(metric boatswain_uploads_total)
        if [ "$now" != "$stored" ]; then
            stored=$now
            missing=$(waited_for | tr '\n' ' ')
        fi
        [ $SECONDS -lt $end ] || die "after $wait_seconds s these containers' lines are not all stored: $(waited_for | tr '\n' ' ')"
        sleep 0.5
    done
    [ ! -t 1 ] || echo
    good "    Every line of every container is stored."
}

# ---------------------------------------------------------------- the proof

objects_of() { find "$objects" -type f -name '*.age' -path "*/tenant=$1/*" | sort; }

indent() { sed 's/^/    /'; }

show_objects() {
    heading "What the store holds: sealed objects"
    if [ "$s3" = yes ]; then
        objects=$place/download
        mkdir -p "$objects"
        s3_client download "$objects"
        note "    (as an S3 client that is not ours downloads them)"
    else
        objects=$place/store
    fi
    (cd "$objects" && find . -type f -name '*.age' -printf '%P  %s bytes\n' | sort) | indent
    local tenant
    for tenant in acme globex _unassigned; do [ -n "$(objects_of "$tenant")" ] || die "no object of $tenant is there"; done
    if grep -raqF 'migrating row' "$objects" "$place/state"; then die "a line lies readable on the disk"; fi
    say "None of it is readable: no line of a container can be found in the store, nor in the agent's own files."
}

show_stock_tools() {
    heading "Stock tools and acme's key open acme's objects"
    local object
    for object in $(objects_of acme); do
        age -d -i "$keys/acme.key" "$object" | zstd -dc >>"$place/acme.txt"
    done
    object=$(objects_of acme | head -n 1)
    say "${bold}age -d -i acme.key ${object##*/} | zstd -d${plain}"
    age -d -i "$keys/acme.key" "$object" | zstd -dc >"$place/first.txt"
    head -n 6 "$place/first.txt" | cut -c 1-150 | indent
    say "    ..."
    [ "$(grep -c '^[^#].* migrating row [0-9]* of 200$' "$place/acme.txt")" = 200 ] ||
        die "stock tools do not find the 200 lines of $prefix-migrate exactly once"
    ! grep -q globex-only "$place/acme.txt" || die "a line of globex is in an object of acme"
    good "All 200 lines of the container that was gone at once ($prefix-migrate, --rm) are there, each once; no line of globex is."
}

show_wrong_key() {
    heading "globex's key opens none of them"
    local object opened=0 tried=0
    for object in $(objects_of acme); do
        tried=$((tried + 1))
        if age -d -i "$keys/globex.key" "$object" >/dev/null 2>"$place/refused"; then opened=$((opened + 1)); fi
    done
    say "${bold}age -d -i globex.key ${object##*/}${plain}"
    head -n 1 "$place/refused" | indent
    [ "$opened" = 0 ] || die "globex's key opened $opened of acme's $tried objects"
    good "$tried objects of acme tried, none opened."
}

show_logs() {
    heading "The same with boatswain logs"
    say "${bold}boatswain logs --store $store_url --identity acme.key --tenant acme --app shop/worker${plain}"
    logs acme acme --app shop/worker >"$place/worker.txt"
    indent <"$place/worker.txt"
    [ "$(wc -l <"$place/worker.txt")" -ge 8 ] || die "boatswain logs does not print the 8 lines of $prefix-worker"
    say "${bold}boatswain logs ... --identity globex.key --container $prefix-bytes --output raw | od -c${plain}"
    logs globex globex --container $prefix-bytes --output raw >"$place/bytes"
    od -A n -c "$place/bytes" | indent
    # shellcheck disable=SC2059 # the format is the text
    printf "$odd_bytes" |
        cmp -s - "$place/bytes" || die "the bytes of $prefix-bytes did not come back as they were printed"
    good "Byte for byte what the container printed."
}

# Lines over HTTP, and the page. The server has the tenants' keys: it runs where they may be, never on a host that collects.
show_serving() {
    heading "The same over HTTP, and on a page"
    local tenant found
    serving=127.0.0.1:$(free_port)
    mkdir -m 700 "$place/identities"
    for tenant in acme globex; do
        cp "$keys/$tenant.key" "$place/identities/"
        "$tool" token new "$tenant" --tokens "$place/tokens" --expires 12h >"$place/$tenant.token" 2>/dev/null
    done
    "$tool" serve --store "$store_url" --identities "$place/identities" --tokens "$place/tokens" --listen "$serving" \
        --hub "$hub" --fleet-key "$place/fleet.key" 2>"$place/serve.log" </dev/null &
    server=$!
    for _ in $(seq 100); do
        ! curl --noproxy '*' -fsS -m 5 "http://$serving/ready" >/dev/null 2>&1 || break
        sleep 0.1
    done
    local query='sum(count_over_time({app="shop/migrate"} |= "migrating row" [1h]))'
    say "${bold}curl -G http://$serving/loki/api/v1/query -H \"Authorization: Bearer \$TOKEN\" --data-urlencode 'query=$query'${plain}"
    found=$(ask_server acme "$query")
    indent <<<"$found"
    [[ $found == *'"200"]'* ]] || die "the server does not count the 200 lines of $prefix-migrate"
    found=$(ask_server globex '{app=~"shop/.*"}')
    [[ $found == *'"result":[]'* ]] || die "globex's token finds lines of acme: $found"
    good "acme's token counts acme's 200 lines; globex's finds none of them."
    follow_live
}

# A line is at the follower before its batch is sealed.
follow_live() {
    local seen=$place/followed follower
    curl --noproxy '*' -fsSN -m 30 -G "http://$serving/boatswain/api/v1/follow" \
        -H "Authorization: Bearer $(cat "$place/acme.token")" --data-urlencode 'query={app=~".+"}' >"$seen" &
    follower=$!
    for _ in $(seq 150); do
        ! grep -q '"kind":"live","hosts":1' "$seen" || break
        sleep 0.1
    done
    grep -q '"kind":"live","hosts":1' "$seen" || die "the agent is not followed live: $(tail -n 3 "$place/serve.log")"
    kill "$follower" 2>/dev/null || true
    wait "$follower" 2>/dev/null || true
    good "Who follows sees lines as they are printed: the agent has connected to the server's hub."
}

ask_server() { # TENANT QUERY
    local path=query
    [[ $2 != '{'* ]] || path=query_range
    curl --noproxy '*' -fsS -m 30 -G "http://$serving/loki/api/v1/$path" -H "Authorization: Bearer $(cat "$place/$1.token")" \
        --data-urlencode "query=$2" | sed 's/,"stats".*/, .../'
}

stay() {
    heading "It is all yours until Ctrl-C"
    say "Each tenant's own logs, on a page:"
    local tenant
    for tenant in acme globex; do say "    ${bold}http://$serving/#token=$(cat "$place/$tenant.token")${plain}"; done
    say "Or on the command line:"
    [ "$s3" = no ] || say "    export AWS_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY"
    cat <<TXT
    export DEMO=$place BOATSWAIN_STORE='$store_url'
    build/release/boatswain ls --tenant acme --identity $keys/acme.key
    build/release/boatswain logs --identity $keys/acme.key --tail 20
    docker -H $engine logs $prefix-web
    curl http://$listen/metrics
TXT
    say "Or kill it, and see what is lost (README.md, \"Does it keep what it promises?\"): the demo starts it again, as a service manager would."
    while :; do
        if ! kill -0 "$agent" 2>/dev/null; then
            [ ! -t 1 ] || echo
            say "The agent was ended: starting it again."
            launch_agent
        fi
        [ ! -t 1 ] || progress
        sleep 1
    done
}

choose_engine
choose_store
make_keys
start_first_containers
start_agent
start_more_containers
wait_for_lines
show_objects
show_stock_tools
show_wrong_key
show_logs
show_serving
if [ "$once" = yes ]; then
    heading "Ending"
    stop_server
    stop_agent
    exit 0
fi
trap 'echo; exit 0' INT
stay
