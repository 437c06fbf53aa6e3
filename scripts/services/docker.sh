# The same servers as containers. Sourced by services.sh.

docker_engine() { have docker && docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }

# compose runs docker compose on a project of this checkout alone, with the ports
# and the password chosen here.
compose() {
  COMPOSE_PROJECT_NAME=trueup-test-$(checkout_id) \
    TRUEUP_PASSWORD=$(cat "$state/password") \
    TRUEUP_MARIADB_PORT=$(cat "$state/mariadb.port") \
    TRUEUP_TARGET_PORT=$(cat "$state/postgres.port") \
    TRUEUP_KAFKA_PORT=$(cat "$state/kafka.port") \
    docker compose --project-directory "$root" -f "$root/docker-compose.yml" --profile test "$@" 9>&-
}

docker_up() {
  local part
  for part in mariadb postgres kafka; do
    [ -s "$state/$part.port" ] || free_port >"$state/$part.port"
  done
  if ! compose up -d --wait mariadb target kafka; then
    compose logs --tail 30 mariadb target kafka >&2 || true
    die "docker compose could not start the servers; TRUEUP_SERVICES=packages make services-up takes Debian packages instead"
  fi
}

docker_down() { compose stop mariadb target kafka; }

docker_purge() { compose down --volumes; }

docker_status() { compose ps mariadb target kafka; }
