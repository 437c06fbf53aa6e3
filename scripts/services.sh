#!/usr/bin/env bash
# Starts and stops the real servers the tests talk to: MariaDB, PostgreSQL and
# Kafka, on 127.0.0.1 and free ports, with everything they write in .services/.
#
#   scripts/services.sh up|down|status|purge
#
# up      starts what is missing; says so when nothing is.
# down    stops them; their data stays for the next up.
# purge   down, and removes .services/.
#
# Where a Docker engine answers they are containers (docker-compose.yml, profile
# "test"); elsewhere they are Debian packages, and Kafka's jars from Maven Central.
# TRUEUP_SERVICES=docker|packages overrides that choice.
# Servers of your own: export TRUEUP_TEST_MYSQL, TRUEUP_TEST_POSTGRES and
# TRUEUP_TEST_KAFKA, and nothing is started.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
state=$root/.services

for part in process packages mariadb postgres kafka docker; do
  # shellcheck source=/dev/null
  source "$root/scripts/services/$part.sh"
done

main() {
  local command=${1:-help}
  case $command in
    up | down | status | purge) ;;
    *) sed -n '2,/^set -euo/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; [ "$command" = help ] || exit 2; return ;;
  esac
  if [ "$command" = up ] && own_servers; then
    say "TRUEUP_TEST_MYSQL, TRUEUP_TEST_POSTGRES and TRUEUP_TEST_KAFKA are set: nothing to start"
    return
  fi
  umask 022
  mkdir -p "$state"
  # One invocation at a time; the servers close descriptor 9, or the lock would
  # live as long as they do.
  exec 9>"$state/lock"
  flock 9
  "command_$command"
}

own_servers() { [ -n "${TRUEUP_TEST_MYSQL:-}" ] && [ -n "${TRUEUP_TEST_POSTGRES:-}" ] && [ -n "${TRUEUP_TEST_KAFKA:-}" ]; }

command_up() {
  local mode
  mode=$(choose_mode)
  echo "$mode" >"$state/mode"
  [ -s "$state/password" ] || (umask 077 && random_password >"$state/password")
  if [ "$mode" = docker ]; then
    docker_up
  else
    data=$(data_dir)
    mariadb_up
    postgres_up
    kafka_up
  fi
  write_env
  say "ready: connection strings are in .services/env"
}

command_down() {
  case $(cat "$state/mode" 2>/dev/null || true) in
    docker) docker_down ;;
    packages)
      stop kafka
      stop postgres
      stop mariadb
      ;;
    *) say "nothing was started here" ;;
  esac
  rm -f "$state/env"
}

command_purge() {
  local mode
  mode=$(cat "$state/mode" 2>/dev/null || true)
  command_down
  [ "$mode" != docker ] || docker_purge
  [ "$mode" != packages ] || rm -rf -- "$(data_dir)"
  rm -rf -- "$state"
}

command_status() {
  local part up=0
  if [ "$(cat "$state/mode" 2>/dev/null || true)" = docker ]; then
    docker_status
    return
  fi
  for part in mariadb postgres kafka; do
    if "${part}_answers"; then
      say "$part: up, port $(cat "$state/$part.port")"
    else
      say "$part: down"
      up=1
    fi
  done
  return $up
}

# A machine that began with packages stays with them until they are down, so
# that an engine started in between leaves no orphans.
choose_mode() {
  if [ -n "${TRUEUP_SERVICES:-}" ]; then
    echo "$TRUEUP_SERVICES"
  elif [ -e "$state/env" ] && [ -s "$state/mode" ]; then
    cat "$state/mode"
  elif docker_engine; then
    echo docker
  else
    echo packages
  fi
}

write_env() {
  local password
  password=$(cat "$state/password")
  (
    umask 077
    cat >"$state/env.new" <<ENV
TRUEUP_TEST_MYSQL=mysql://root:$password@127.0.0.1:$(cat "$state/mariadb.port")/
TRUEUP_TEST_POSTGRES=postgres://postgres:$password@127.0.0.1:$(cat "$state/postgres.port")/postgres
TRUEUP_TEST_KAFKA=127.0.0.1:$(cat "$state/kafka.port")
ENV
  )
  mv "$state/env.new" "$state/env"
}

main "$@"
