#!/bin/sh
# Start the broker for the password in REDIS_PASSWORD_FILE, of which it learns only the hash.
# Arguments are further options of the server.
set -eu
here=$(dirname "$0")
users=${REDIS_RUN_DIR:-/run/redis}/users.acl

umask 077
digest=$(tr -d '\n' <"$REDIS_PASSWORD_FILE" | sha256sum | cut -d' ' -f1)
sed "s/@PASSWORD_SHA256@/$digest/" "$here/users.acl" >"$users"
exec valkey-server "$here/redis.conf" --aclfile "$users" "$@"
