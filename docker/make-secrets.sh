#!/bin/sh
# Make the secrets that compose.yaml reads: make-secrets.sh [DIRECTORY], which must not exist yet.
set -eu
directory=${1:-"$(dirname "$0")/secrets"}

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# Containers read these files as users of their own, so the directory alone keeps others out.
umask 022
mkdir -m 0700 "$directory"
cd "$directory"
random >secret_key
random >token_pepper
random >postgres_password
random >redis_password
printf 'postgresql://pm:%s@postgres:5432/pm' "$(cat postgres_password)" >database_url
printf 'redis://platform:%s@redis:6379/0' "$(cat redis_password)" >redis_url
