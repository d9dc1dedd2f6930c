#!/bin/sh
# A throw-away PostgreSQL for tests.
#
#   eval "$(scripts/postgres.sh)"   starts it, unless it runs, and sets BAAS_TEST_POSTGRES_URL
#   scripts/postgres.sh stop        ends it and deletes its data
#
#   scripts/postgres.sh durable        the same with a server of its own that does wait for the disk, for measurements
#   scripts/postgres.sh stop-durable
#
# It lives in .cache/postgres of the repository, listens on 127.0.0.1 alone, trusts everybody there and doesn't wait
# for the disk: nothing in it is meant to last. As root it installs PostgreSQL when there is none, and runs it as the
# user postgres, because PostgreSQL refuses to run as root.
set -eu

cd "$(dirname "$0")/.."
dir=$PWD/.cache/postgres
settings="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
case "${1:-start}" in
*durable)
    dir=$dir-durable
    settings="-c shared_buffers=512MB"
    ;;
esac

say() { echo "postgres.sh: $*" >&2; }

bindir() {
    for d in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) $(dirname "$(command -v initdb || echo /nowhere/initdb)"); do
        if [ -x "$d/initdb" ] && [ -x "$d/pg_ctl" ]; then
            echo "$d"
            return
        fi
    done
}

bin=$(bindir)
if [ -z "$bin" ]; then
    if [ "$(id -u)" != 0 ]; then
        say "PostgreSQL is not installed; install the package postgresql or run this as root"
        exit 1
    fi
    say "installing PostgreSQL"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    # Without this the package would start a cluster of its own.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    apt-get install -qq -y --no-install-recommends postgresql >&2
    bin=$(bindir)
fi

as=""
if [ "$(id -u)" = 0 ]; then
    id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
    as="runuser -u postgres --"
fi

running() { [ -f "$dir/data/postmaster.pid" ] && $as "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; }

case "${1:-start}" in
stop*)
    if running; then
        $as "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >&2
    fi
    rm -rf "$dir"
    exit
    ;;
esac

# Two at once would start two.
mkdir -p "$dir"
echo '*' >"$dir/../.gitignore"
exec 9>"$dir/lock"
flock 9

if ! running; then
    rm -rf "$dir/data" "$dir/url"
    [ -z "$as" ] || chown postgres "$dir"
    $as "$bin/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 ||
        { cat "$dir/initdb.log" >&2; exit 1; }
    tries=0
    while :; do
        port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
        if $as "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/log" -w -t 30 -o "-p $port \
            -c listen_addresses=127.0.0.1 -c unix_socket_directories='' $settings -c max_connections=300 -c max_wal_size=2GB" start >&2 9>&-; then
            break
        fi
        tries=$((tries + 1))
        if [ $tries -ge 5 ]; then
            cat "$dir/data/log" >&2
            exit 1
        fi
    done
    echo "postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable" >"$dir/url"
fi
echo "export BAAS_TEST_POSTGRES_URL='$(cat "$dir/url")'"
