#!/bin/sh
# Makes the files of pem_reader: certificates and keys in all forms that are read. Needs OpenSSL 3.
set -eu
cd "$(dirname "$0")/pem_reader"
new() { openssl req -x509 -nodes -days 36500 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "$@"; }
new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout pkcs8.pem -out certificate.pem
new -newkey ed25519 -keyout ed25519.pem -out ed25519_certificate.pem
openssl ec -in pkcs8.pem -out sec1.pem
openssl pkcs8 -topk8 -in pkcs8.pem -passout pass:secret -out pbkdf2.pem
openssl pkcs8 -topk8 -in pkcs8.pem -passout pass:secret -v2 des3 -out triple_des.pem
openssl pkcs8 -topk8 -in pkcs8.pem -passout pass:secret -scrypt -scrypt_N 16 -out scrypt.pem
openssl pkcs8 -topk8 -in pkcs8.pem -passout pass:secret -v1 PBE-SHA1-3DES -out pbes1.pem
openssl ec -in pkcs8.pem -aes128 -passout pass:secret -out old_encryption.pem
openssl pkey -in pkcs8.pem -pubout -out public.pem
openssl x509 -in certificate.pem -trustout -addtrust serverAuth -out trusted.pem
openssl x509 -in certificate.pem -outform DER -out certificate.der
openssl crl2pkcs7 -nocrl -certfile certificate.pem -out certificates.p7b
cat certificate.pem pkcs8.pem ed25519_certificate.pem > all.pem
