#!/usr/bin/env bash
# drill_test.sh: the drill of the README, as it stands there, on the demo. The repository's build/release is what it runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

place=$(mktemp -d)
demo=
clean_up() {
    if [ -n "$demo" ]; then
        kill -TERM "$demo" 2>/dev/null || true
        wait "$demo" || true
    fi
    rm -rf "$place"
}
trap clean_up EXIT
fail() {
    echo "drill_test.sh: $*"
    tail -n 40 "$place/demo.out"
    exit 1
}

# shellcheck disable=SC2016 # sed's own $
sed -n '/^<!-- drill:/,/^```$/{/^<!--/d;/^```/d;p}' README.md >"$place/drill"
grep -q 'kill -9' "$place/drill" || fail "the README has no drill"

# An engine of its own: not that of whoever runs the test.
DOCKER_HOST=unix:///nonexistent/docker.sock scripts/demo.sh >"$place/demo.out" 2>&1 </dev/null &
demo=$!
for _ in $(seq 600); do
    grep -q 'It is all yours' "$place/demo.out" && grep -q 'export DEMO=' "$place/demo.out" && break
    kill -0 "$demo" 2>/dev/null || fail "the demo ended"
    sleep 0.5
done
sed -n 's/^ *\(export \)/\1/p' "$place/demo.out" >"$place/exports"
# shellcheck source=/dev/null
. "$place/exports"
: "${DEMO:?the demo does not say where it works}"

lines() { build/release/boatswain verify --json --identity "$DEMO/keys/acme.key" --identity "$DEMO/keys/globex.key" | jq '[.chains[].lines] | add'; }
first=$(cat "$DEMO/agent.pid") before=$(lines)
bash -euo pipefail "$place/drill" >"$place/drill.out" 2>&1 || fail "the drill failed: $(cat "$place/drill.out")"
cat "$place/drill.out"
[ "$(cat "$DEMO/agent.pid")" != "$first" ] || fail "no new agent was started"
[ "$(grep -cE '^(acme|globex) .* whole$' "$place/drill.out")" = 2 ] || fail "not both tenants' chains are whole"
[ "$(grep -c 'sensor=tank' "$place/drill.out")" = 5 ] || fail "the last lines of boatswain-demo-tank were not printed"
# Containers go on printing: their new lines must come, from the new agent.
for _ in $(seq 60); do
    after=$(lines)
    [ "$after" -le "$before" ] || break
    sleep 1
done
[ "$after" -gt "$before" ] || fail "no line was stored after the kill ($before before)"
echo "$before lines before the kill, $after after it: whole"
