#!/bin/sh
# Makes the files of this folder, which the tests of src/tls/pfx read. They need not be made anew:
# nothing in them depends on the date. Needs OpenSSL 3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/root.key" -out "$work/root.pem" -days 36500 -subj "/CN=Test root" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout "$work/issuer.key" -out "$work/issuer.csr" -subj "/CN=Test issuer" 2>/dev/null
openssl x509 -req -in "$work/issuer.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -CAcreateserial -out "$work/issuer.pem" -days 36500 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout rsa.key -out "$work/rsa.csr" -subj "/CN=localhost" 2>/dev/null
openssl x509 -req -in "$work/rsa.csr" -CA "$work/issuer.pem" -CAkey "$work/issuer.key" -CAcreateserial -out rsa.pem -days 36500 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ec.key" -out "$work/ec.pem" -days 36500 -subj "/CN=localhost" 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/other.key" -out "$work/other.pem" -days 36500 -subj "/CN=other" 2>/dev/null
# The root first: a file has its certificates in any order.
cat "$work/root.pem" "$work/issuer.pem" > "$work/issuers.pem"
make() { out=$1; shift; openssl pkcs12 -export -out "$out" "$@"; }
rsa="-inkey rsa.key -in rsa.pem"
make modern.pfx $rsa -passout pass:secret
make legacy.pfx $rsa -passout pass:secret -legacy
make triple_des.pfx $rsa -passout pass:secret -legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
make aes128_sha512.pfx $rsa -passout pass:secret -keypbe AES-128-CBC -certpbe AES-128-CBC -macalg sha512
make no_mac.pfx $rsa -passout pass:secret -nomac
make no_mac_triple_des.pfx $rsa -passout pass:secret -nomac -legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES
make bare.pfx $rsa -passout pass:secret -nomac -keypbe NONE -certpbe NONE
make empty_password.pfx $rsa -passout pass:
make empty_password_legacy.pfx $rsa -passout pass: -legacy
make utf8_password.pfx $rsa -passout 'pass:pä$€'
make chain.pfx $rsa -certfile "$work/issuers.pem" -passout pass:secret
make ec.pfx -inkey "$work/ec.key" -in "$work/ec.pem" -passout pass:secret
make certificate_only.pfx -nokeys -in rsa.pem -passout pass:secret
make key_only.pfx -nocerts -inkey rsa.key -passout pass:secret
openssl x509 -in rsa.pem -outform DER -out rsa.cer
openssl x509 -in "$work/issuer.pem" -outform DER -out issuer.cer
openssl x509 -in "$work/root.pem" -outform DER -out root.cer
openssl pkcs8 -topk8 -nocrypt -in rsa.key -outform DER -out rsa.p8
rm -f rsa.key rsa.pem
