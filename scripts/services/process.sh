# Starting, watching and stopping background servers. Sourced by services.sh.
# A part (mariadb, postgres, kafka) has .services/PART.{port,pid,log} and the
# functions PART_start (sets $pid) and PART_answers.

say() { echo "services: $*"; }

die() {
  echo "services: $*" >&2
  exit 1
}

random_password() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# as_user USER COMMAND...: root becomes USER, since mariadbd and postgres refuse
# root; anyone else runs the command as is. setpriv replaces itself with the
# command, so that $! is the server's own pid.
as_user() {
  local user=$1
  shift
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"
  else
    exec "$@"
  fi
}

# own_dir USER DIR makes DIR, private to USER.
own_dir() {
  mkdir -p "$2"
  chmod 700 "$2"
  if [ "$(id -u)" = 0 ]; then chown "$1:" "$2"; fi
}

# data_dir prints where the servers keep their files: .services/data, or a place
# of this checkout under the temporary directory when the servers' users cannot
# walk the path to the checkout (a home directory of mode 700, say).
data_dir() {
  local dir=$state/data user
  mkdir -p "$dir"
  if [ "$(id -u)" = 0 ]; then
    for user in mysql postgres; do
      if id "$user" >/dev/null 2>&1 && ! (as_user "$user" test -x "$dir"); then
        dir=${TMPDIR:-/tmp}/trueup-services-$(checkout_id)
        mkdir -p "$dir"
        # Anybody may have made a directory of that name there.
        [ -O "$dir" ] || die "$dir belongs to another user: remove it, or set TMPDIR"
        chmod 755 "$dir"
      fi
    done
  fi
  echo "$dir"
}

checkout_id() { printf '%s' "$root" | cksum | cut -d' ' -f1; }

# free_port prints a port of 127.0.0.1 nobody listens on, below the range the
# kernel hands out to outgoing connections (32768 and up).
free_port() {
  local port
  while :; do
    port=$((20000 + (RANDOM << 15 | RANDOM) % 12000))
    if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

# alive PART: the process of the pid file runs, and is the one that was started
# (a pid is soon somebody else's after a reboot).
alive() {
  local pid
  pid=$(cat "$state/$1.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && [ -r "/proc/$pid/stat" ] && [ "$(started_at "$pid")" = "$(cat "$state/$1.started" 2>/dev/null)" ]
}

# started_at prints boot identity and start time (field 22 of proc(5) stat).
started_at() { echo "$(cat /proc/sys/kernel/random/boot_id) $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20)"; }

# ensure PART SECONDS starts PART unless it answers, and waits for it.
ensure() {
  local part=$1 seconds=$2 attempt
  if "${part}_answers"; then
    say "$part is already up on port $(cat "$state/$part.port")"
    return
  fi
  for attempt in 1 2 3; do
    stop "$part"
    # A part that is restarted keeps its port, unless another program took it.
    if [ ! -s "$state/$part.port" ] || [ "$attempt" -gt 1 ] || (: <"/dev/tcp/127.0.0.1/$(cat "$state/$part.port")") 2>/dev/null; then
      free_port >"$state/$part.port"
    fi
    say "starting $part on port $(cat "$state/$part.port")"
    : >"$state/$part.log"
    "${part}_start"
    echo "$pid" >"$state/$part.pid"
    started_at "$pid" >"$state/$part.started" 2>/dev/null || true
    if await "$part" "$seconds"; then return; fi
    grep -qiE 'address already in use|Failed to bind|could not bind' "$state/$part.log" || break
  done
  stop "$part"
  echo "--- end of .services/$part.log" >&2
  tail -n 30 "$state/$part.log" >&2
  die "$part did not come up within $seconds s; its log is .services/$part.log. 'scripts/services.sh purge' and 'make services-up' start from nothing"
}

# await PART SECONDS polls until PART answers; false when it died or time is up.
await() {
  local part=$1 deadline=$((SECONDS + $2))
  until "${part}_answers"; do
    if ! alive "$part" || [ $SECONDS -ge $deadline ]; then return 1; fi
    sleep 0.2
  done
}

# stop PART asks the process to end, waits 30 s, then kills it.
stop() {
  local part=$1 pid tick
  if alive "$part"; then
    pid=$(cat "$state/$part.pid")
    say "stopping $part"
    kill -TERM "$pid"
    for tick in $(seq 150); do
      alive "$part" || break
      sleep 0.2
    done
    if alive "$part"; then kill -KILL "$pid"; fi
  fi
  rm -f "$state/$part.pid" "$state/$part.started"
}
