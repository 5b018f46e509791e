#!/bin/bash
# proof_test.sh BOATSWAIND BOATSWAIN: containers of two tenants end in every way, the agent is restarted in between; each has one closing
# record with its totals, and the store is proven whole; after an object is taken away, it is not.
set -euo pipefail
boatswaind=$1 boatswain=$2
place=$BOATSWAIN_TEST_ENGINE_DIR/proof
unset "${!BOATSWAIN_TEST_@}" # boatswaind warns of settings that it does not know
mkdir -p "$place/keys"
cd "$place"

fail() { echo "proof_test.sh: $*"; tail -n 20 agent.log; exit 1; }
for tenant in acme globex; do
    "$boatswain" keys new $tenant --out . >/dev/null
    mv $tenant.pub keys/
done
cat >agent.toml <<END
state_dir = "$place/state"
host = "node-7"
[engine]
socket = "${DOCKER_HOST#unix://}"
[store]
url = "dir:$place/store"
[tenancy]
keyring = "$place/keys"
[batch]
flush_after = "1s"
END
agent=
start_agent() {
    "$boatswaind" agent --config agent.toml --listen off >>agent.log 2>&1 &
    agent=$!
    wait_until grep -q "engine followed" agent.log
}
stop_agent() {
    kill "$agent"
    wait "$agent" || fail "the agent failed"
}
trap '[ -z "$agent" ] || kill -9 "$agent" 2>/dev/null || true' EXIT
wait_until() {
    for _ in $(seq 100); do
        if "$@"; then return; fi
        sleep 0.2
    done
    fail "never came true: $*"
}
run() { docker run --network none "$@" >/dev/null; }
text() { # TENANT: everything stored of it
    find store -path "*/tenant=$1/*" -name '*.age' 2>/dev/null | sort | while read -r object; do
        age -d -i "$1.key" "$object" | zstd -dc
    done
}
holds() { text "$1" | grep -cE "$2" | grep -qx "${3:-1}"; } # TENANT PATTERN [TIMES]

start_agent
# shellcheck disable=SC2016 # the container's shell expands it
run -d --name web -e BOATSWAIN_TENANT=acme bw/busybox sh -c 'for i in $(seq 200); do echo line $i; done; sleep 4; echo last; exit 3'
for code in 0 1 2; do run --rm -e BOATSWAIN_TENANT=acme bw/busybox sh -c "echo short; exit $code" || true; done
run --rm -e BOATSWAIN_TENANT=globex bw/busybox true
run -d --name local --log-driver local -e BOATSWAIN_TENANT=globex bw/busybox sh -c 'echo hello; exit 4'
run -d --name again -e BOATSWAIN_TENANT=globex bw/busybox sh -c 'echo again; exit 5'
docker wait again >/dev/null
docker start again >/dev/null
wait_until holds acme ' stdout F line 200$'
wait_until holds globex ' stdout F hello$'
stop_agent
: >agent.log
start_agent
wait_until holds acme ' stdout F last$'
wait_until holds globex ' stdout F again$' 2
docker rm -f web local again >/dev/null
wait_until holds acme '^# end ' 4
wait_until holds globex '^# end ' 3
stop_agent
agent=

for code in 0 1 2; do holds acme "^# end .*\"reason\":\"removed\",\"exit_code\":$code,\"lines\":1,\"bytes\":5}" || fail "no end of the container that exits with $code"; done
holds acme '"exit_code":3,"lines":201,"bytes":1496}' || fail "no end of web"
holds globex '"exit_code":0,"lines":0,"bytes":0}' || fail "no end of the silent one"
holds globex '"exit_code":4,"lines":1,"bytes":5}' || fail "no end of the one with a local log"
holds globex '"exit_code":5,"lines":2,"bytes":10}' || fail "no end of the one that ran twice"

"$boatswain" verify --store dir:store --identity acme.key --identity globex.key >verified || fail "not proven: $(cat verified)"
[ "$(grep -c 'whole$' verified)" = 2 ] || fail "$(cat verified)"
"$boatswain" verify --store dir:store >verified || fail "not proven without a key: $(cat verified)"
[ "$(grep -c 'linked$' verified)" = 2 ] || fail "$(cat verified)"
find store -name '*.0000000002.age' -delete
if "$boatswain" verify --store dir:store >verified; then fail "proven, with segments missing"; fi
grep -q 'missing: tenant "acme"' verified || fail "$(cat verified)"
echo "closing records and proof: as they should be"
