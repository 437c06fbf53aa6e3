#!/usr/bin/env bash
# Checks docs/model with spin: the models hold, each mutant breaks the property
# that it is made to break. Needs spin and gcc. KEEP=dir keeps the counterexamples;
# ONLY=text checks the lines that have the text.
#
# A line of the table below: model, kind, the property that fails, macros.
#   model   must hold; the property is "-"
#   mutant  a wrong fixer; the failure proves that the model can see the fault
#   limit   surroundings in which the sequence does not hold; see docs/model/README.md
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for tool in spin gcc; do
  command -v $tool >/dev/null || { echo "model: $tool is missing; on Debian: apt-get install spin gcc libc6-dev" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sources=$PWD/docs/model

checks='
one_key  model  -
one_key  model  -                    ROUNDS=1
one_key  model  -                    OVERLAP CRASHES=0
one_key  model  -                    DUAL=1 LASTPASS
one_key  model  -                    DUAL=2 LASTPASS
one_key  mutant never_older          NO_LOCK
one_key  mutant never_older          READ_FIRST
one_key  mutant stays_deleted        NO_REREAD
one_key  mutant stays_deleted        BOUNDED_INSERTS
one_key  mutant stays_deleted        LOCKED_IS_ABSENT
one_key  mutant every_outcome_told   MARK_BEFORE_OUTCOME
one_key  mutant every_outcome_told   MARK_FIRST
one_key  limit  stays_deleted        OVERLAP
one_key  limit  agreement            DUAL=2
two_keys model  -
two_keys mutant never_older          BLOCKER_UNLOCKED
two_keys mutant agreement            OVERWRITE
two_keys mutant stays_deleted        NO_REREAD
two_keys model  -                    BACK_AND_FORTH
two_keys limit  replicator_goes_on   BACK_AND_FORTH STOPS_AT_DUPLICATES
'

# check FILE MACRO… prints the number of states and what failed: "-" for nothing.
check() {
  local file=$1 dir out failed
  shift
  dir=$(mktemp -d "$work/XXXXXX")
  cd "$dir"
  cp "$sources/$file.pml" .
  spin -a "${@/#/-D}" "$file.pml" >spin.out || { cat spin.out >&2; return 1; }
  # A search for safety; states are stored compressed, which costs time and saves memory.
  gcc -O2 -w -DSAFETY -DCOLLAPSE -DNOFAIR -DMEMLIM=3000 -o pan pan.c
  out=$(./pan -m1000000 -w22)
  failed=-
  case $out in
    *"assertion violated"*) failed=$(grep -oP 'assertion violated \(?\K\w+' <<<"$out") ;;
    *"invalid end state (at depth"*) failed=deadlock ;;
    *"errors: 0"*) ;;
    *) failed=unfinished ;;
  esac
  # A search that was cut short proves nothing.
  if grep -qE 'max search depth too small|reached -DMEMLIM' <<<"$out"; then failed=unfinished; fi
  echo "$(grep -oP '\d+(?= states, stored)' <<<"$out") $failed"
  if [ -n "${KEEP:-}" ] && [ -e "$file.pml.trail" ]; then
    mkdir -p "$KEEP" && cp "$file.pml" "$KEEP" && cp "$file.pml.trail" "$KEEP/$file-$(IFS=-; echo "$*").trail"
  fi
}

status=0
printf '%-8s  %-6s  %-24s  %10s  %-20s  %-20s\n' model kind with states expected got
while read -r file kind expected macros; do
  case "$file $kind $macros" in *${ONLY:-}*) [ -n "$file" ] || continue ;; *) continue ;; esac
  # shellcheck disable=SC2086 # the macros are words
  result=$(check "$file" $macros)
  states=${result% *} got=${result#* } mark=
  if [ "$got" != "$expected" ]; then status=1 mark='  <- WRONG'; fi
  printf '%-8s  %-6s  %-24s  %10s  %-20s  %-20s%s\n' "$file" "$kind" "${macros:--}" "$states" "$expected" "$got" "$mark"
done <<<"$checks"
exit $status
