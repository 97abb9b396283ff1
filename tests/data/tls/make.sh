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
# `members` makes only those files anew.
only=${1:-all}
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
# An authority of its own, of clients whose certificates are odd; its key is not kept.
members() {
  authority members-ca
  clients=extendedKeyUsage=clientAuth
  signed old old members-ca ""
  signed old-expired old-expired members-ca "" 20250101000000Z
  signed authority authority members-ca "basicConstraints=critical,CA:true
keyUsage=critical,digitalSignature,keyCertSign
$clients"
  signed authority-server authority-server members-ca "basicConstraints=critical,CA:true
extendedKeyUsage=serverAuth"
  signed authority-odd authority-odd members-ca "basicConstraints=critical,CA:true
$clients
1.3.6.1.4.1.32473.1=critical,ASN1:NULL"
  # The name of the authority, and the key of another.
  requested "$work/false-ca.key" members-ca
  certified "$work/false-ca.pem" "$to" basicConstraints=critical,CA:true -selfsign -keyfile "$work/false-ca.key"
  requested old-forged.key old
  certified old-forged.pem "$to" "" -cert "$work/false-ca.pem" -keyfile "$work/false-ca.key"
  # Below another authority, and below one that may not vouch for every name.
  requested "$work/members-sub.key" members-sub
  certified "$work/members-sub.pem" "$to" "basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign" -cert members-ca.pem -keyfile "$work/members-ca.key"
  requested old-deep.key old-deep
  certified old-deep.pem "$to" "" -cert "$work/members-sub.pem" -keyfile "$work/members-sub.key"
  cat "$work/members-sub.pem" >> old-deep.pem
  requested "$work/narrow-ca.key" narrow-ca
  certified narrow-ca.pem "$to" "basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign
nameConstraints=critical,permitted;DNS:example" -selfsign -keyfile "$work/narrow-ca.key"
  signed old-narrow old-narrow narrow-ca ""
  # A certificate that is no authority's, and one that it signed.
  requested "$work/no-ca.key" no-ca
  certified no-ca.pem "$to" "basicConstraints=critical,CA:false
$clients" -selfsign -keyfile "$work/no-ca.key"
  signed old-by-no-ca old-by-no-ca no-ca ""
  # Called like a public one.
  requested "$work/public-ca.key" "ISRG Root X1"
  certified public-ca.pem "$to" "basicConstraints=critical,CA:true" -selfsign -keyfile "$work/public-ca.key"
  requested old-own.key old-own
  certified old-own.pem "$to" "" -selfsign -keyfile old-own.key
}
members
[ "$only" = all ] || exit 0
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
