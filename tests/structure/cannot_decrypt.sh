#!/usr/bin/env bash
# cannot_decrypt.sh NM BOATSWAIND BOATSWAIN: the daemon on the host can seal and never open.
#
# Looks at the symbols of BOATSWAIND, those it defines and those it takes from shared libraries, for code of open/ and
# for every door to decryption and decompression that code of ours could use. The same search must find both in
# BOATSWAIN, which does open segments: a search that could not fail would prove nothing.
set -euo pipefail
nm=$1 daemon=$2 tool=$3

# EVP_CipherInit decides by an argument whether it encrypts; it is refused so that this list can decide.
ours='boatswain::(open|query|rollup)::'
doors='\b(EVP_(Decrypt|Open|Cipher)(Init|Update|Final|_)|EVP_PKEY_decrypt|ZSTD_(decompress|DCtx_|createDCtx|createDStream|initDStream))'

failures=0
fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}

symbols() { "$nm" -C "$1" && "$nm" -C -D "$1"; }

for program in "$daemon" "$tool"; do
    [ -x "$program" ] || { echo "FAILED: $program is not there" >&2; exit 1; }
done
of_daemon=$(symbols "$daemon")
of_tool=$(symbols "$tool")

grep -q 'boatswain::' <<<"$of_daemon" || fail "$daemon has no symbols of ours: stripped, so nothing can be seen"
for pattern in "$ours" "$doors"; do
    if found=$(grep -E "$pattern" <<<"$of_daemon"); then
        fail "$daemon can open what it sealed:"
        head -n 20 <<<"$found" >&2
    fi
    grep -qE "$pattern" <<<"$of_tool" || fail "the search finds nothing in $tool either: '$pattern' is out of date"
done
[ "$failures" -eq 0 ] || exit 1
echo "$(wc -l <<<"$of_daemon") symbols of boatswaind: none of open/, none that decrypts or decompresses zstd"
