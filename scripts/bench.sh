#!/usr/bin/env bash
# Measures trueup beside reladiff and pt-table-sync, installing those when they
# are missing. Arguments go to the benchmark, see `go run ./test/bench -h`.
set -euo pipefail
cd "$(dirname "$0")/.."

cache="${XDG_CACHE_HOME:-$HOME/.cache}/trueup/bench"
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if ! [ -x "$cache/bin/reladiff" ]; then
  echo "installing reladiff into $cache" >&2
  if ! python3 -m venv "$cache" >/dev/null 2>&1; then
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >&2
    python3 -m venv "$cache"
  fi
  "$cache/bin/pip" install -q 'reladiff[mysql,postgresql]==0.6.0'
fi
if ! command -v pt-table-sync >/dev/null; then
  echo "installing percona-toolkit" >&2
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq percona-toolkit >&2
fi

if ! connect=$(scripts/connect.sh); then
  echo "Kafka Connect is missing; change events are left out" >&2
  connect=
fi

make --no-print-directory services-up build >&2
exec go run ./test/bench -bin bin -reladiff "$cache/bin/reladiff" -pt-table-sync "$(command -v pt-table-sync)" \
  -pt-table-checksum "$(command -v pt-table-checksum)" -connect "$connect" "$@"
