# Sourced by the scripts here: where the private servers live and as whom they run.
#
# PostgreSQL refuses to run as root, so root lends its work to "postgres". Everything which that user
# must reach lies in $place: below build/ when he can enter it and a socket's path (107 bytes at
# most) fits, else in a folder of /tmp that is named after the clone. Only he and root can enter
# it, because the servers trust whoever reaches their sockets.
# shellcheck shell=bash

harness=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
clone=$(cd "$harness/../.." && pwd -P)
export LC_ALL=C
umask 022
# The caller's own PostgreSQL is not ours to use.
for variable in ${!PG@}; do
    [ "$variable" = PG_CONFIG ] || unset "$variable"
done

server_user=$(id -un)
[ "$(id -u)" -ne 0 ] || server_user=postgres
as_server_user() {
    if [ "$(id -un)" = "$server_user" ]; then
        env HOME="$place" "$@"
    else
        setpriv --reuid="$server_user" --regid="$server_user" --init-groups env HOME="$place" "$@"
    fi
}

mkdir -p "$clone/build"
place=$clone/build/private
if [ ${#place} -gt 70 ] || ! (cd / && as_server_user test -x "$clone/build"); then
    place=/tmp/lookalike-$(printf %s "$clone" | sha1sum | cut -c 1-8)
fi
if mkdir -m 700 "$place" 2>/dev/null; then
    [ "$(id -un)" = "$server_user" ] || chown "$server_user:" "$place"
elif [ -L "$place" ] || [ "$(stat -c %U "$place")" != "$server_user" ]; then
    echo "lookalike: \"$place\" does not belong to user \"$server_user\": remove it and try again" >&2
    exit 1
fi
