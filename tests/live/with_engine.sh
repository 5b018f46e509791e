#!/bin/bash
# with_engine.sh COMMAND...: runs COMMAND with a private Docker engine (tests/support/engine.sh), which is gone afterwards, whatever happens.
#
# COMMAND finds DOCKER_HOST, BOATSWAIN_TEST_ENGINE_SOCKET, BOATSWAIN_TEST_ENGINE_ROOT (its data root) and BOATSWAIN_TEST_ENGINE_DIR in its
# environment. BOATSWAIN_TEST_ENGINE_OPTIONS holds further options of dockerd. COMMAND is ended after BOATSWAIN_TEST_SECONDS_MAX (280): a
# test runner that kills us outright would leave the engine behind.
set -euo pipefail
support=$(dirname "$(realpath "$0")")/../support
base=$(mktemp -d /tmp/bwe.XXXXXX)
trap '"$support/engine.sh" stop "$base/e"; rm -rf "$base"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck disable=SC2086 # a list of options
"$support/engine.sh" start "$base/e" ${BOATSWAIN_TEST_ENGINE_OPTIONS:-}
# Another suite's engine (BOATSWAIN_TEST_ENGINE) comes with its own command.
export PATH=$base/e/bin:$PATH DOCKER_HOST=unix://$base/e/docker.sock DOCKER_CONFIG=$base/e/cli
export BOATSWAIN_TEST_ENGINE_DIR=$base/e BOATSWAIN_TEST_ENGINE_SOCKET=$base/e/docker.sock BOATSWAIN_TEST_ENGINE_ROOT=$base/e/root
timeout --kill-after 5 "${BOATSWAIN_TEST_SECONDS_MAX:-280}" "$@" &
wait $! || exit $?
