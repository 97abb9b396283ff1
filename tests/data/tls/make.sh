#!/bin/sh
# Makes the files of this folder: an authority that the tests trust, what it signed, and what cannot
# be served. They need not be made anew: they are good from 2020 to 2120, and one ended in 2025.
# Needs OpenSSL 3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Of all commands only `openssl ca` takes both dates.
touch "$work/index"
cat > "$work/ca.conf" <<END
[ca]
default_ca=signer
[signer]
database=$work/index
new_certs_dir=$work
rand_serial=yes
unique_subject=no
default_md=sha256
policy=names
[names]
commonName=supplied
END
from=20200101000000Z
to=21200101000000Z
# KEY SUBJECT: a key and a request.
requested() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1" \
    -out "$work/request" -subj "/CN=$2" 2>/dev/null
}
# OUT TO EXTENSION,... HOW...: signs the request.
certified() {
  out=$1 end=$2
  printf '%s\n' "$3" > "$work/extensions"
  shift 3
  openssl ca -batch -notext -config "$work/ca.conf" -in "$work/request" -out "$out" \
    -startdate "$from" -enddate "$end" -extfile "$work/extensions" "$@" 2>/dev/null
}
# NAME
authority() {
  requested "$work/$1.key" "$1"
  certified "$1.pem" "$to" "basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash" -selfsign -keyfile "$work/$1.key"
}
# NAME SUBJECT AUTHORITY EXTENSIONS [TO]
signed() {
  requested "$1.key" "$2"
  certified "$1.pem" "${5:-$to}" "$4" -cert "$3.pem" -keyfile "$work/$3.key"
}
servers='extendedKeyUsage=serverAuth
subjectAltName='
authority ca
authority strange-ca
signed server localhost ca "${servers}DNS:localhost,IP:127.0.0.1"
signed server-2 localhost ca "${servers}DNS:localhost,IP:127.0.0.1"
signed one one.example ca "${servers}DNS:one.example"
signed two two.example ca "${servers}DNS:*.two.example"
signed client client ca extendedKeyUsage=clientAuth
signed stranger stranger strange-ca extendedKeyUsage=clientAuth
signed other-use other-use ca extendedKeyUsage=codeSigning
signed expired localhost ca "${servers}DNS:localhost" 20250101000000Z
requested own.key own
certified own.pem "$to" "basicConstraints=critical,CA:true" -selfsign -keyfile own.key
cat ca.pem own.pem > trusted.pem
openssl pkcs8 -topk8 -in server.key -passout pass:secret -out encrypted.key
openssl pkcs12 -export -inkey server.key -in server.pem -passout pass:secret -out server.pfx
chmod 644 ./*.key ./*.pfx
