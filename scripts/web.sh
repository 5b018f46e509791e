#!/usr/bin/env bash
# web.sh FILE: builds the web page of web/ in build/web, and writes FILE, a C++ source that holds its files.
# web.sh --test: checks format and types, and runs the unit tests of web/. web.sh --format: formats it.
#
# All builds share build/web: what was made of the same sources is not made again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

for program in node npm; do
    command -v "$program" >/dev/null || die "the web page is built with $program, which is not there: ./dev deps build"
done

mkdir -p build/web
exec 9>build/web/lock
flock 9

hash_of() { find "$@" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum; }

sources=$(cd web && hash_of . ! -path './node_modules/*')
if [ "$(cat build/web/sources 2>/dev/null)" != "$sources" ]; then
    rm -rf build/web/sources build/web/src build/web/public build/web/dist
    (cd web && tar -c --exclude=./node_modules .) | tar -x -C build/web
    packages=$(hash_of build/web/package.json build/web/package-lock.json)
    if [ "$(cat build/web/packages 2>/dev/null)" != "$packages" ]; then
        (cd build/web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
        echo "$packages" >build/web/packages
    fi
    (cd build/web && node node_modules/vite/bin/vite.js build --logLevel warn)
    echo "$sources" >build/web/sources
fi

# Of what prettier looks at; it finds its plugin in build/web alone.
formatted=(src public index.html embed.mjs svelte.config.js vite.config.ts)
if [ "$1" = --format ]; then
    cd build/web
    node node_modules/prettier/bin/prettier.cjs --log-level warn --write "${formatted[@]}"
    tar -c "${formatted[@]}" | tar -x -C ../../web
    rm sources
    exit
fi
if [ "$1" = --test ]; then
    cd build/web
    node node_modules/prettier/bin/prettier.cjs --check --log-level warn "${formatted[@]}"
    node node_modules/svelte-check/bin/svelte-check --fail-on-warnings --output human
    BOATSWAIN_VECTORS=$PWD/../../tests/vectors exec node node_modules/vitest/vitest.mjs run
fi
node build/web/embed.mjs build/web/dist "$1"
