# Installing what is missing through apt. Sourced by services.sh.

# have COMMAND: it is on the path or where Debian keeps servers.
have() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1; }

# install_packages PACKAGE... through apt, without letting them start servers.
install_packages() {
  have apt-get || die "$* missing and this is no Debian or Ubuntu: install them by hand, start a Docker engine, or export TRUEUP_TEST_MYSQL, TRUEUP_TEST_POSTGRES and TRUEUP_TEST_KAFKA"
  if [ "$(id -u)" != 0 ] && ! have sudo; then
    die "$* missing and there is no sudo: run 'apt-get install $*' as root, then 'make services-up' again"
  fi
  say "installing $*"
  (umask 077 && : >"$state/apt.log")
  if ! apt_install "$@" </dev/null >>"$state/apt.log" 2>&1 9>&-; then
    tail -n 20 "$state/apt.log" >&2
    die "apt-get could not install $*: see .services/apt.log"
  fi
}

apt_install() {
  as_root apt-get -q update
  hold_services
  local status=0
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@" || status=$?
  release_services "$@"
  return $status
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# hold_services: packages ask policy-rc.d (invoke-rc.d(8)) whether they may start
# their service; 101 forbids it. A policy that is already there stays in charge.
hold_services() {
  held=
  [ ! -e /usr/sbin/policy-rc.d ] || return 0
  held=yes
  printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
  as_root chmod 755 /usr/sbin/policy-rc.d
}

# release_services lifts the hold, and keeps the new services from the next boot.
release_services() {
  [ -z "$held" ] || as_root rm -f /usr/sbin/policy-rc.d
  [ -d /run/systemd/system ] || return 0
  case " $* " in *" mariadb-server "*) as_root systemctl disable mariadb || true ;; esac
  case " $* " in *" postgresql "*) as_root systemctl disable postgresql || true ;; esac
}
