#!/usr/bin/env bash
# Checks what a compiler does not: scripts/verify.sh MODULE... [-- MODULE...]
# Of the modules behind -- it checks go.mod alone: what they import takes minutes
# to compile, and their own targets vet them.
# BUF names the buf binary; protoc-gen-go stands beside it. Needs no network
# beyond the Go modules, changes no file, and goes on after a failure so that
# one run names everything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
status=0

# check NAME WAY-OUT COMMAND...
check() {
  local name=$1 hint=$2
  shift 2
  if "$@" >"$work/output" 2>&1; then
    echo "ok    $name"
  else
    echo "FAIL  $name: $hint"
    head -n 60 "$work/output" | sed 's/^/      /'
    status=1
  fi
}

# Generating over a copy and comparing sees stale, missing and left-over files,
# whether or not the work tree has other changes.
generated_is_fresh() {
  rm -rf -- "$work/proto"
  cp -R proto "$work/proto"
  find "$work/proto" \( -name '*.pb.go' -o -name '*.connect.go' \) -delete
  (cd "$work/proto" && PATH=$(dirname "$BUF"):$PATH "$BUF" generate) && diff -ru proto "$work/proto"
}

formatted() {
  local files
  files=$(git ls-files -z --cached --others --exclude-standard -- '*.go' | xargs -0r ls -d 2>/dev/null | xargs -r gofmt -l)
  echo "$files"
  [ -z "$files" ]
}

# "failed to" says nothing: an error is bad news already, and wrapped three times
# it fails to fail to fail.
errors_name_the_action() {
  ! git grep -nEi --untracked '"(failed|unable) to ' -- '*.go' ':!*_test.go' ':!*.pb.go'
}

# A sleep waits too long or not long enough; only the fake clock of testing/synctest
# makes it exact.
tests_await_signals() {
  local file status=0
  while IFS= read -r file; do
    if ! grep -q '"testing/synctest"' "$file"; then
      grep -Hn 'time\.Sleep(' "$file"
      status=1
    fi
  done < <(git grep -l --untracked 'time\.Sleep(' -- '*_test.go')
  return $status
}

scripts_parse() {
  local script
  for script in .ci/run scripts/*.sh scripts/*/*.sh; do bash -n "$script"; done
}

in_proto() { (cd proto && "$@"); }
in_module() { (cd "$1" && "${@:2}"); }

check "generated code is fresh" "run 'make generate' and commit" generated_is_fresh
check "proto lint" "see https://buf.build/docs/lint/rules for the rule named at the end of a line" in_proto "$BUF" lint
check "proto compatibility" "old readers would break: add fields and reserve numbers instead, or make a v2 package. Only if nobody can have stored such a message: 'make proto-baseline'" \
  in_proto "$BUF" breaking --against trueup.binpb
check "gofmt" "run 'make fmt'" formatted
vet=yes
for module in "$@"; do
  if [ "$module" = -- ]; then
    vet=
    continue
  fi
  [ -z "$vet" ] || check "go vet in $module" "fix what it says" in_module "$module" go vet ./...
  check "go.mod of $module" "run 'go mod tidy' in $module and commit" in_module "$module" go mod tidy -diff
done
check "errors name the action" "write 'read source row orders/42: …' instead of 'failed to …'" errors_name_the_action
check "tests await signals" "wait for a channel, an observer or a polled condition with a deadline, or use testing/synctest" tests_await_signals
check "shell scripts parse" "fix the syntax" scripts_parse
exit $status
