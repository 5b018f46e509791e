#!/bin/sh
# npm.sh SOURCE BUILD TOOL: installs the npm package age-encryption into BUILD as package-lock.json says and runs the test with it.
set -eu
mkdir -p "$2"
cp "$1/package.json" "$1/package-lock.json" "$1/age_encryption.mjs" "$2/"
cd "$2"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
exec node age_encryption.mjs "$3"
