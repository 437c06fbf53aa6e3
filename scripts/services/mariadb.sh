# MariaDB from the system's packages. Sourced by services.sh.

mariadb_up() {
  if ! have mariadbd || ! have mariadb-install-db; then install_packages mariadb-server; fi
  data=$(data_dir) # the package may just have brought the mysql user
  ensure mariadb 60
}

mariadb_start() {
  local dir=$data/mariadb
  own_dir mysql "$dir"
  own_dir mysql "$dir-tmp"
  if [ ! -d "$dir/mysql" ]; then
    (as_user mysql mariadb-install-db --no-defaults --datadir="$dir" --tmpdir="$dir-tmp" --auth-root-authentication-method=normal --skip-test-db) \
      </dev/null >>"$state/mariadb.log" 2>&1 9>&- || { tail -n 20 "$state/mariadb.log" >&2; die "mariadb-install-db could not fill $dir"; }
  fi
  mariadb_config "$dir"
  (PATH=$PATH:/usr/sbin as_user mysql setsid mariadbd --defaults-file="$dir/my.cnf") </dev/null >>"$state/mariadb.log" 2>&1 9>&- &
  pid=$!
}

# The odd time zone is on purpose: a test that forgets to say UTC shall fail.
mariadb_config() {
  local dir=$1 password
  password=$(cat "$state/password")
  cat >"$dir/my.cnf" <<CNF
[mariadbd]
datadir=$dir
# its own: a server that starts deletes all temporary tables in there
tmpdir=$dir-tmp
bind-address=127.0.0.1
port=$(cat "$state/mariadb.port")
# relative to datadir: a socket's path may have 107 bytes at most
socket=mariadb.sock
pid-file=mariadb.pid
init-file=$dir/init.sql
skip-name-resolve
server-id=1
log-bin=binlog
binlog-format=ROW
binlog-row-image=FULL
gtid-strict-mode=1
expire-logs-days=1
max-binlog-size=64M
innodb-buffer-pool-size=1G
innodb-log-file-size=512M
innodb-flush-log-at-trx-commit=2
sync-binlog=0
max-allowed-packet=64M
local-infile=1
max-connections=300
character-set-server=utf8mb4
default-time-zone=+03:00
CNF
  cat >"$dir/init.sql" <<SQL
CREATE OR REPLACE USER root@'%' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION;
DELETE FROM mysql.global_priv WHERE User IN ('', 'root') AND Host <> '%';
FLUSH PRIVILEGES;
SQL
  (
    umask 077
    cat >"$state/mariadb-client.cnf" <<CNF
[client]
host=127.0.0.1
protocol=tcp
port=$(cat "$state/mariadb.port")
user=root
password=$password
connect-timeout=3
CNF
  )
  chmod 600 "$dir/my.cnf" "$dir/init.sql"
  if [ "$(id -u)" = 0 ]; then chown mysql: "$dir/my.cnf" "$dir/init.sql"; fi
}

mariadb_answers() {
  alive mariadb && mariadb --defaults-file="$state/mariadb-client.cnf" -e 'SELECT 1' >/dev/null 2>&1
}
