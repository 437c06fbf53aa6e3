# PostgreSQL from the system's packages. Sourced by services.sh.

postgres_up() {
  [ -n "$(postgres_bin)" ] || install_packages postgresql
  data=$(data_dir) # the package may just have brought the postgres user
  ensure postgres 60
}

# postgres_bin prints the newest directory with the server's programs, which
# Debian keeps off the path; nothing if there is none.
postgres_bin() {
  local newest
  newest=$(find /usr/lib/postgresql/*/bin -name postgres 2>/dev/null | sort -V | tail -n 1)
  if [ -z "$newest" ]; then newest=$(command -v postgres || true); fi
  [ -z "$newest" ] || dirname "$newest"
}

postgres_start() {
  local dir=$data/postgres bin
  bin=$(postgres_bin)
  own_dir postgres "$dir"
  if [ ! -e "$dir/cluster/PG_VERSION" ]; then postgres_init "$dir" "$bin"; fi
  postgres_config "$dir"
  (as_user postgres setsid "$bin/postgres" -D "$dir/cluster") </dev/null >>"$state/postgres.log" 2>&1 9>&- &
  pid=$!
}

postgres_init() {
  local dir=$1 bin=$2
  (umask 077 && cp "$state/password" "$dir/password")
  if [ "$(id -u)" = 0 ]; then chown postgres: "$dir/password"; fi
  (as_user postgres "$bin/initdb" -D "$dir/cluster" -U postgres --pwfile="$dir/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8) </dev/null >>"$state/postgres.log" 2>&1 9>&- ||
    { tail -n 20 "$state/postgres.log" >&2; die "initdb could not fill $dir/cluster"; }
}

# The odd time zone is on purpose: a test that forgets to say UTC shall fail.
# Nothing here must survive a power cut, so fsync is off.
postgres_config() {
  cat >"$1/cluster/postgresql.auto.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $(cat "$state/postgres.port")
unix_socket_directories = ''
max_connections = 300
shared_buffers = '512MB'
wal_level = logical
max_wal_size = '4GB'
fsync = off
synchronous_commit = off
full_page_writes = off
timezone = 'Asia/Kolkata'
log_timezone = 'UTC'
CONF
  if [ "$(id -u)" = 0 ]; then chown postgres: "$1/cluster/postgresql.auto.conf"; fi
}

postgres_answers() {
  alive postgres && PGCONNECT_TIMEOUT=3 PGPASSWORD=$(cat "$state/password") \
    psql -qAtX -h 127.0.0.1 -p "$(cat "$state/postgres.port")" -U postgres -d postgres -c 'SELECT 1' >/dev/null 2>&1
}
