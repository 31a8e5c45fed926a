# shellcheck shell=bash
# shellcheck disable=SC2154 # root, cache, dir and the ports are set by scripts/services
# Packages, ports and processes. Read by scripts/services.

start_seconds=180
stop_seconds=30

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# Installs Debian packages; the packages' own services are not started.
apt_install() {
  local policy=/usr/sbin/policy-rc.d made=0 failed=0
  say "services: installing $* with apt-get"
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    made=1
  fi
  {
    apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
  } >"$dir/apt.log" 2>&1 || failed=1
  [ "$made" = 0 ] || rm -f "$policy"
  [ "$failed" = 0 ] || { tail -n 5 "$dir/apt.log" >&2; die "apt-get could not install $*"; }
}

answers_tcp() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range that outgoing connections take theirs from, so that a restart finds it free again.
free_port() {
  local port
  while :; do
    port=$((10000 + (RANDOM << 15 | RANDOM) % 20000))
    answers_tcp "$port" || break
  done
  printf '%s\n' "$port"
}

# Nothing for a process that is gone or a zombie.
command_line() {
  if [ -d /proc/self ]; then
    { tr "\0" " " <"/proc/$1/cmdline"; } 2>/dev/null
  else
    ps -ww -p "$1" -o args= 2>/dev/null
  fi
}

# pid of a service of this --dir, or nothing: a pid file left by a machine that went down, and
# taken by another process since, is not one of ours.
pid_of() {
  local pid
  [ -s "$dir/$1.pid" ] || return 0
  pid=$(<"$dir/$1.pid")
  [[ $(command_line "$pid") != *"$dir/$1.conf"* ]] || printf '%s\n' "$pid"
}

# Whether a process has not ended yet. One that is ending has no command line any more, and may still
# hold its port; a zombie holds nothing once the last of its threads, not only the first, has ended.
is_alive() {
  local state threads=1
  if [ -d /proc/self ]; then
    state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null)
    threads=$(sed -n 's/^Threads:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null)
  else
    state=$(ps -p "$1" -o stat= 2>/dev/null)
  fi
  [[ -n $state && ($state != [ZX]* || ${threads:-0} -gt 1) ]]
}

launch() {
  local name=$1
  shift
  if command -v setsid >/dev/null; then set -- setsid "$@"; fi
  nohup "$@" >"$dir/$name.log" 2>&1 </dev/null &
  printf '%s\n' "$!" >"$dir/$name.pid"
}

show_log() { tail -n 15 "$dir/$1.log" >&2; }

# await NAME CHECK: until CHECK succeeds.
await() {
  local name=$1 check=$2 pid tenths=$((start_seconds * 10))
  pid=$(<"$dir/$name.pid")
  until "$check"; do
    sleep 0.1
    kill -0 "$pid" 2>/dev/null || {
      show_log "$name"
      die "$name ended while starting; its log is $dir/$name.log"
    }
    tenths=$((tenths - 1))
    [ "$tenths" -gt 0 ] || die "$name did not answer within $start_seconds s; its log is $dir/$name.log"
  done
}

# end NAME SIGNAL: sends it and waits until the process is gone.
end() {
  local name=$1 signal=$2 pid tenths=$((stop_seconds * 10))
  pid=$(pid_of "$name")
  [ -n "$pid" ] || return 0
  kill -s "$signal" "$pid"
  while is_alive "$pid"; do
    sleep 0.1
    tenths=$((tenths - 1))
    [ "$tenths" -gt 0 ] || {
      say "services: $name did not stop within $stop_seconds s, killing it"
      kill -s KILL "$pid" 2>/dev/null || true
      tenths=50
    }
  done
}
