#!/usr/bin/env bash
# Builds the commit that is checked out twice, in directories of different names and
# lengths, the second time with a compiler cache of its own, and compares the bytes.
# It leaves nothing behind and takes no notice of changes that are not committed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf -- "$work"' EXIT

# built DIR builds the commit there.
built() {
  git clone -q --shared . "$work/$1"
  git -C "$work/$1" checkout -q --detach "$(git rev-parse HEAD)"
  make --no-print-directory -C "$work/$1" build >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}

built a
GOCACHE=$work/cache built another/directory/with/a/longer/name
for name in validator fixer trueup; do
  if ! cmp "$work/a/bin/$name" "$work/another/directory/with/a/longer/name/bin/$name"; then
    echo "FAIL  $name differs: something of the directory, the time or the order of work got into it"
    exit 1
  fi
done
echo "ok    two builds of $("$work/a/bin/trueup" version) are the same bytes:"
(cd "$work/a/bin" && sha256sum validator fixer trueup) | sed 's/^/      /'
