#!/usr/bin/env bash
# Runs every fuzz target of the repository for a while: scripts/fuzz.sh [20s]
# A failure leaves its input in testdata/fuzz/ beside the test: commit it with
# the fix, and every later `go test` runs it again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

duration=${1:-20s}
targets=$(grep -rn --include='*_test.go' -oE '^func Fuzz[A-Za-z0-9_]*' . | sed -E 's/^(.*)\/[^/]*:[0-9]+:func /\1 /' | sort)
[ -n "$targets" ] || { echo "no fuzz target found" >&2; exit 1; }

failed=()
while read -r package target; do
  echo "fuzz $package $target for $duration"
  (cd "$package" && go test -short -run '^$' -fuzz "^$target\$" -fuzztime "$duration" . </dev/null) || failed+=("$package $target")
done <<<"$targets"
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}" >&2
  exit 1
fi
