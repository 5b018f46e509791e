#!/bin/bash
# with_engine_tls.sh COMMAND...: as with_engine.sh, and the engine also listens on TCP with TLS and asks clients for a certificate.
#
# COMMAND finds BOATSWAIN_TEST_ENGINE_TLS (tcp://localhost:PORT) and BOATSWAIN_TEST_ENGINE_PKI: a directory with ca.pem, client.pem,
# client-key.pem, and of another authority other-ca.pem, other.pem, other-key.pem. The server's certificate is for "localhost" alone.
set -euo pipefail
pki=$(mktemp -d /tmp/bwp.XXXXXX)
trap 'rm -rf "$pki"' EXIT

authority() {  # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
        -keyout "$pki/$1-key.pem" -out "$pki/$1.pem" 2>/dev/null
}
certificate() {  # NAME AUTHORITY EXTENSIONS
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$pki/$1-key.pem" \
        -out "$pki/$1.csr" 2>/dev/null
    openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$2.pem" -CAkey "$pki/$2-key.pem" -CAcreateserial -days 2 \
        -extfile <(echo "$3") -out "$pki/$1.pem" 2>/dev/null
}
authority ca
authority other-ca
certificate server ca 'subjectAltName=DNS:localhost'
certificate client ca 'extendedKeyUsage=clientAuth'
certificate other other-ca 'extendedKeyUsage=clientAuth'

port=${BOATSWAIN_TEST_ENGINE_PORT:-$((20000 + RANDOM % 10000))}
export BOATSWAIN_TEST_ENGINE_TLS=tcp://localhost:$port BOATSWAIN_TEST_ENGINE_PKI=$pki
export BOATSWAIN_TEST_ENGINE_OPTIONS="-H tcp://127.0.0.1:$port --tlsverify --tlscacert $pki/ca.pem --tlscert $pki/server.pem --tlskey $pki/server-key.pem"
"$(dirname "$(realpath "$0")")/with_engine.sh" "$@"
