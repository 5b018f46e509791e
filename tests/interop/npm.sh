#!/bin/sh
# npm.sh SOURCE BUILD TOOL QUERIES: installs npm's packages into BUILD as package-lock.json says and runs the tests with them.
set -eu
mkdir -p "$2"
cp "$1/package.json" "$1/package-lock.json" "$1/age_encryption.mjs" "$1/logql_grammar.mjs" "$1/duckdb_export.mjs" \
    "$1/kubernetes_watch.mjs" "$2/"
cd "$2"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
node age_encryption.mjs "$3"
node duckdb_export.mjs "$3"
node kubernetes_watch.mjs "$1/../support/api_server.py"
exec node logql_grammar.mjs "$3" "$4"
