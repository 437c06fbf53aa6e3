#!/usr/bin/env bash
# Runs test/soak on the servers that `make services-up` started, and with a Kafka
# of its own, which it kills and restarts: `make soak`, or
#
#   scripts/soak.sh [FLAG...]     scripts/soak.sh -h lists the flags
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
state=$root/.services
cd "$root"

for part in process packages kafka; do
  # shellcheck source=/dev/null
  source "$root/scripts/services/$part.sh"
done

mkdir -p "$state"
if ! have java; then install_packages default-jre-headless; fi
[ -d "$kafka_jars" ] || kafka_download
# What is exported already goes before what is written there.
if [ -e "$state/env" ]; then
  while IFS='=' read -r name value; do
    [ -n "${!name:-}" ] || export "$name=$value"
  done <"$state/env"
fi
go build -o bin/soak ./test/soak
connect=()
if [[ " $* " == *" -continuous "* ]]; then connect=(-connect "$(scripts/connect.sh)"); fi
exec bin/soak -bin bin -kafka "$kafka_jars/jars" "${connect[@]}" "$@"
