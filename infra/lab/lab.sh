#!/usr/bin/env bash
# A NixOS-like fleet on one Debian machine: each host is a real systemd in systemd-nspawn, with a
# real sshd, a real Nix store and a network namespace of its own. README.md says what is and is
# not like NixOS.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

usage() {
  cat >&2 <<'T'
usage: npm run lab -- COMMAND        (or: sh infra/lab.sh COMMAND)

  up N | NAME...          boot h1..hN, or the named hosts, and wait until they are ready
  down [NAME...]          remove hosts with all they hold; without a name the whole lab
  ssh NAME [CMD...]       log in as root, or USER@NAME
  exec NAME CMD...        run a command on a host without its network
  cut NAME, heal NAME     take the host's network away, give it back
  reboot NAME [--hard]    reboot it and wait; --hard as if the power had failed
  off NAME                power off hard, disk kept; `up NAME` boots it again
  fill NAME, drain NAME   make its disk full, give the space back
  status                  one line a host
  inventory               JSON: addresses, keys, files
  env                     shell exports for a worker on this machine: eval "$(npm run -s lab -- env)"
  install FLAKE NAME...   nixos-rebuild switch: a first generation for hosts
  base                    build the base image, once

environment: LAB (name, default "lab"; labs with other names run side by side), LAB_STATE (its
folder), LAB_DISK (size of a host's disk, default 1g), LAB_PARALLEL (hosts booted at once, default 4)
T
  exit 2
}

die() { echo "lab: error: $*" >&2; exit 1; }

LAB=${LAB:-lab}
[[ $LAB =~ ^[a-z0-9][a-z0-9-]{0,30}$ ]] || die "LAB must be lowercase letters, digits and dashes: $LAB"
state=${LAB_STATE:-${TMPDIR:-/tmp}/rotate-lab-$LAB}
disk=${LAB_DISK:-1g}
registry=/run/rotate-lab        # which lab has which network; shared by all labs of the machine
key=$state/ssh/id_ed25519
known=$state/ssh/known_hosts
ssh_config=$state/ssh/config

# --- names and numbers ------------------------------------------------------

need_root() { [ "$(id -u)" = 0 ] || die "needs root (namespaces, mounts)"; }

# One change to a lab at a time; labs do not wait for one another.
lock_lab() {
  mkdir -p "$registry"
  exec 9>>"$registry/$(printf %s "$state" | cksum | cut -d' ' -f1).lock"
  flock 9
}

# The number is all that tells labs apart outside their folders: 10.77.N.0/24, bridge rlN, namespaces
# rlN-HOST, links rlNhADDRESS. Interface names have 15 characters at most, hence no lab names in them.
claim_network() {
  if [ -s "$state/net" ]; then net=$(cat "$state/net"); return; fi
  local n owner
  mkdir -p "$registry"
  exec 8>>"$registry/networks.lock"
  flock 8
  for n in $(seq 1 250); do
    if [ -e "$registry/$n" ]; then
      owner=$(cat "$registry/$n")
      # Still somebody's, or left behind with its bridge when a folder was deleted without `down`.
      if [ "$(cat "$owner/net" 2>/dev/null)" = "$n" ] || [ -e "/sys/class/net/rl$n" ]; then continue; fi
    fi
    if ip -4 -o addr show | grep -q " 10\.77\.$n\."; then continue; fi
    echo "$state" > "$registry/$n"
    echo "$n" > "$state/net"
    exec 8>&-
    net=$n
    return
  done
  die "no free network in 10.77.0.0/16"
}

load_network() { net=$(cat "$state/net" 2>/dev/null) || net=; }
host_dir() { echo "$state/hosts/$1"; }
address() { cat "$state/hosts/$1/ip"; }
link() { local ip; ip=$(address "$1"); echo "rl${net}h${ip##*.}"; }

known_host() {
  [[ ${1:-} =~ ^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$ ]] || die "not a host name: ${1:-}"
  [ -d "$state/hosts/$1" ] || die "no host $1 in lab $LAB"
}

all_hosts() {
  local d
  for d in "$state"/hosts/*/; do
    [ -d "$d" ] && basename "$d"
  done
  return 0
}

# A recorded process, if it is still that process: not a later one with its number, nor one that has
# ended and that nobody has waited for.
alive() {
  local pid start now
  [ -e "$1" ] || return 1
  read -r pid start < "$1" || return 1
  now=$(cut -d' ' -f3,22 "/proc/$pid/stat" 2>/dev/null) || return 1
  [ "${now#* }" = "$start" ] && [ "${now% *}" != Z ] && echo "$pid"
}

# The host's PID 1 as this machine numbers it.
leader() {
  local top queue p c
  top=$(alive "$state/hosts/$1/nspawn.pid") || return 1
  queue=$top
  while [ -n "$queue" ]; do
    p=${queue%% *}; queue=${queue#"$p"}; queue=${queue# }
    if grep -qsE '^NSpid:.*[[:space:]]1$' "/proc/$p/status"; then echo "$p"; return; fi
    c=()
    read -r -a c 2>/dev/null < "/proc/$p/task/$p/children" || true    # it has no newline at its end
    queue="$queue${queue:+ }${c[*]:-}"; queue=${queue% }
  done
  return 1
}

# --- up ---------------------------------------------------------------------

machine_up() {
  # nspawn cleans up under /run/systemd/nspawn, which must be a tmpfs; in a container /run may be none.
  mkdir -p /run/systemd/nspawn
  if [ "$(stat -f -c %T /run/systemd/nspawn)" != tmpfs ]; then
    mount -t tmpfs -o size=16m,mode=755 tmpfs /run/systemd/nspawn
  fi
  # Every systemd takes about six inotify instances; the usual 128 a user end at twenty hosts.
  local limit=/proc/sys/fs/inotify/max_user_instances
  if [ "$(cat $limit)" -lt 8192 ] && ! echo 8192 > $limit; then
    echo "lab: cannot raise $limit, about 20 hosts will be the most" >&2
  fi
  if [ ! -e "/sys/class/net/rl$net" ]; then
    ip link add "rl$net" type bridge
    ip addr add "10.77.$net.1/24" dev "rl$net"
    ip link set "rl$net" up
  fi
}

keys_up() {
  mkdir -p "$state/hosts" "$state/ssh"
  chmod 700 "$state/ssh"
  [ -e "$key" ] || ssh-keygen -q -t ed25519 -N '' -C operator -f "$key"
  touch "$known"
}

host_create() {
  local d=$state/hosts/$1 n=10
  [ ! -e "$d/ip" ] || return 0
  while grep -qsx "10.77.$net.$n" "$state"/hosts/*/ip; do n=$((n + 1)); done
  [ "$n" -le 250 ] || die "a lab has room for 240 hosts"
  mkdir -p "$d/disk" "$d/root"
  [ -e "$d/ssh_host_ed25519_key" ] || ssh-keygen -q -t ed25519 -N '' -C "root@$1" -f "$d/ssh_host_ed25519_key"
  echo "10.77.$net.$n" > "$d/ip"
}

# One file with the same strict settings for ssh, git, nix-copy-closure, nixos-rebuild and people.
write_ssh_config() {
  local h
  {
    for h in $(all_hosts); do
      printf 'Host %s\n  HostName %s\n' "$h" "$(address "$h")"
    done
    cat <<C
Host *
  User root
  IdentityFile $key
  IdentitiesOnly yes
  UserKnownHostsFile $known
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
  ConnectTimeout 5
  ServerAliveInterval 5
  ServerAliveCountMax 3
C
  } > "$ssh_config.new"
  mv "$ssh_config.new" "$ssh_config"
  for h in $(all_hosts); do
    echo "$h,$(address "$h") $(cut -d' ' -f1,2 "$state/hosts/$h/ssh_host_ed25519_key.pub")"
  done > "$known.new"
  mv "$known.new" "$known"
}

# Hosts find one another by name.
write_hosts_files() {
  local h o
  for h in $(all_hosts); do
    mountpoint -q "$state/hosts/$h/root" || continue
    {
      echo '127.0.0.1 localhost'
      for o in $(all_hosts); do echo "$(address "$o") $o"; done
    } > "$state/hosts/$h/root/etc/hosts"
  done
}

# Somebody may have deleted the image (the cache) under a running host, which then only half works.
image_there() {
  local lower
  lower=$(findmnt -rno OPTIONS "$state/hosts/$1/root" 2>/dev/null | sed -n 's/.*lowerdir=\([^,]*\).*/\1/p')
  [ -z "$lower" ] || [ -e "$lower/.ready" ]
}

# A disk of its own for each host, in memory: quick to make, quick to drop, and it can be made full.
host_disk() {
  local d=$state/hosts/$1 r=$state/hosts/$1/root u
  mountpoint -q "$d/disk" || mount -t tmpfs -o "size=$disk,mode=755" "lab-$1" "$d/disk"
  mkdir -p "$d/disk/upper" "$d/disk/work"
  mountpoint -q "$r" || mount -t overlay "lab-$1" \
    -o "lowerdir=$image,upperdir=$d/disk/upper,workdir=$d/disk/work" "$r"
  [ ! -e "$r/etc/lab/made" ] || return 0
  echo "$1" > "$r/etc/hostname"
  tr -d - < /proc/sys/kernel/random/uuid > "$r/etc/machine-id"
  install -m 600 "$d/ssh_host_ed25519_key" "$r/etc/ssh/"
  install -m 644 "$d/ssh_host_ed25519_key.pub" "$r/etc/ssh/"
  for u in root home/deploy; do
    install -d -m 700 "$r/$u/.ssh"
    install -m 600 "$key.pub" "$r/$u/.ssh/authorized_keys"
    chown -R --reference="$r/$u" "$r/$u/.ssh"
  done
  touch "$r/etc/lab/made"
}

host_network() {
  local ns=rl$net-$1 l
  l=$(link "$1")
  if [ ! -e "/run/netns/$ns" ]; then
    ip netns add "$ns"
    ip -n "$ns" link set lo up
  fi
  [ ! -e "/sys/class/net/$l" ] || return 0
  ip link add "$l" type veth peer name eth0 netns "$ns"
  ip link set "$l" master "rl$net" up
  ip -n "$ns" addr add "$(address "$1")/24" dev eth0
  ip -n "$ns" link set eth0 up
  ip -n "$ns" route add default via "10.77.$net.1"
}

host_boot() {
  local d=$state/hosts/$1
  host_network "$1"
  setsid --fork "$here/host.sh" "$state" "$1" "rl$net-$1" "rl$net-$1" "rotate-lab/rl$net/$1" \
    </dev/null >>"$d/console.log" 2>&1
}

# Ready: sshd listens and systemd says that booting has ended. Seen from outside, because knocking at
# sshd's port without logging in counts against this machine there (PerSourcePenalties).
host_wait() {
  local p i d=$state/hosts/$1
  for i in $(seq 1 600); do
    if p=$(leader "$1") && grep -qsE '^ *[0-9]+: 0+:0016 .* 0A ' "/proc/$p/net/tcp" "/proc/$p/net/tcp6"; then
      host_exec "$1" timeout 60 systemctl is-system-running --wait >/dev/null 2>&1 || true
      if p=$(leader "$1"); then return 0; fi
    fi
    if [ "$i" -gt 40 ] && ! alive "$d/supervisor.pid" >/dev/null; then break; fi
    sleep 0.1
  done
  tail -n 20 "$d/console.log" >&2
  die "$1 did not come up, see $d/console.log"
}

host_exec() {
  local p
  p=$(leader "$1") || die "$1 is not up"
  shift
  nsenter -t "$p" -m -u -i -n -p -C -r -w env -i \
    PATH=/run/wrappers/bin:/run/current-system/sw/bin:/opt/lab/sw/bin HOME=/root "$@"
}

cmd_up() {
  need_root
  local names=() batch=() n i
  [ $# -gt 0 ] || usage
  if [[ $# = 1 && $1 =~ ^[0-9]+$ ]]; then
    for i in $(seq 1 "$1"); do names+=("h$i"); done
  else
    names=("$@")
  fi
  for n in "${names[@]}"; do
    [[ $n =~ ^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$ ]] || die "not a host name: $n"
  done
  lock_lab
  mkdir -p "$state"
  # A lab keeps the image that its first host was made from, while there is one.
  image=$(cat "$state/image" 2>/dev/null) || image=
  [ -e "$image/.ready" ] || image=$("$here/base.sh")
  echo "$image" > "$state/image"
  keys_up
  claim_network
  machine_up
  for n in "${names[@]}"; do host_create "$n"; done
  write_ssh_config
  for n in "${names[@]}"; do
    if ! image_there "$n"; then
      echo "lab: the image under $n is gone, booting it anew" >&2
      host_kill "$n"
      umount -R "$state/hosts/$n/root" || umount -l "$state/hosts/$n/root"
    fi
  done
  # Before anything runs: sudo, for one, wants to resolve its own host.
  for n in "${names[@]}"; do host_disk "$n"; done
  write_hosts_files
  for n in "${names[@]}"; do
    if ! alive "$state/hosts/$n/supervisor.pid" >/dev/null; then
      host_boot "$n"
      batch+=("$n")
    fi
    if [ "${#batch[@]}" -ge "${LAB_PARALLEL:-4}" ]; then
      for i in "${batch[@]}"; do host_wait "$i"; done
      batch=()
    fi
  done
  for n in "${names[@]}"; do host_wait "$n"; done
}

# --- down -------------------------------------------------------------------

cgroups() {
  local h
  for h in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ ! -d "$h/rotate-lab/rl$net/$1" ] || echo "$h/rotate-lab/rl$net/$1"
    [ ! -d "$h/rotate-lab/rl$net/$1.ctl" ] || echo "$h/rotate-lab/rl$net/$1.ctl"
  done
}

# Ends every process of a host, and none else: its cgroups list exactly those, also after a crash of ours.
host_kill() {
  local groups pids i
  groups=$(cgroups "$1")
  [ -n "$groups" ] || return 0
  for i in $(seq 1 100); do
    # shellcheck disable=SC2086  # paths without spaces, made above
    pids=$(find $groups -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | grep -vx 0) || true
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
    sleep 0.05
  done
  die "processes of $1 will not end: $pids"
}

# Each step asks nothing of the ones before, so that a crash anywhere leaves nothing that a second
# `down` does not find.
host_remove() {
  local d=$state/hosts/$1 g m
  host_kill "$1"
  for m in "$d/root" "$d/disk" "/run/systemd/nspawn/unix-export/rl$net-$1"; do
    while mountpoint -q "$m"; do umount -R "$m" 2>/dev/null || umount -l "$m" || break; done
  done
  rm -rf "/run/systemd/nspawn/unix-export/rl$net-$1" "/run/systemd/nspawn/propagate/rl$net-$1"
  if [ -n "$net" ]; then
    if [ -e "$d/ip" ] && [ -e "/sys/class/net/$(link "$1")" ]; then ip link del "$(link "$1")"; fi
    if [ -e "/run/netns/rl$net-$1" ]; then ip netns del "rl$net-$1"; fi
    cgroups "$1" | while read -r g; do
      find "$g" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
  fi
  rm -rf "$d"
}

cmd_down() {
  need_root
  local names=("$@") n h left
  lock_lab
  load_network
  if [ $# -gt 0 ]; then
    for n in "$@"; do
      [[ $n =~ ^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$ ]] || die "not a host name: $n"
      if [ -d "$state/hosts/$n" ]; then host_remove "$n"; fi
    done
    if [ -d "$state/hosts" ]; then write_ssh_config; write_hosts_files; fi
    return
  fi
  for n in $(all_hosts); do host_remove "$n"; done
  if [ -n "$net" ]; then
    if [ -e "/sys/class/net/rl$net" ]; then ip link del "rl$net"; fi
    for h in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
      rmdir "$h/rotate-lab/rl$net" "$h/rotate-lab" 2>/dev/null || true
    done
  fi
  # Nix makes its store read-only; nothing of it may be mounted any more.
  left=$(findmnt -rno TARGET | grep -F "$state/" || true)
  [ -z "$left" ] || die "still mounted: $left"
  chmod -R u+w "$state" 2>/dev/null || true
  rm -rf "$state"
  if [ -n "$net" ] && [ "$(cat "$registry/$net" 2>/dev/null)" = "$state" ]; then rm -f "$registry/$net"; fi
}

# --- faults -----------------------------------------------------------------

cmd_cut() { need_root; known_host "${1:-}"; load_network; ip link set "$(link "$1")" down; }
cmd_heal() { need_root; known_host "${1:-}"; load_network; ip link set "$(link "$1")" up; }

cmd_off() { need_root; known_host "${1:-}"; load_network; host_kill "$1"; rm -f "$state/hosts/$1"/*.pid; }

cmd_reboot() {
  need_root
  known_host "${1:-}"
  load_network
  local before i
  if [ "${2:-}" = --hard ]; then
    cmd_off "$1"
    cmd_up "$1"
    return
  fi
  before=$(cat "$state/hosts/$1/nspawn.pid" 2>/dev/null) || die "$1 is not up"
  host_exec "$1" systemctl reboot
  for i in $(seq 1 600); do
    [ "$(cat "$state/hosts/$1/nspawn.pid" 2>/dev/null || echo "$before")" = "$before" ] || break
    sleep 0.1
  done
  [ "$i" -lt 600 ] || die "$1 does not shut down"
  host_wait "$1"
}

# The disk is a tmpfs: shrinking it to what is used makes it full without writing anything.
cmd_fill() {
  need_root
  known_host "${1:-}"
  local used
  used=$(df -B1 --output=used "$state/hosts/$1/disk" | tail -n 1)
  mount -o "remount,size=$((used + 65536))" "$state/hosts/$1/disk"
}
cmd_drain() { need_root; known_host "${1:-}"; mount -o "remount,size=$disk" "$state/hosts/$1/disk"; }

# --- the rest ---------------------------------------------------------------

cmd_ssh() {
  [ $# -gt 0 ] || usage
  local to=$1
  shift
  known_host "${to#*@}"
  image_there "${to#*@}" || echo "lab: the image under ${to#*@} is gone: \`up ${to#*@}\` boots it anew" >&2
  exec ssh -F "$ssh_config" "$to" "$@"
}

cmd_exec() { need_root; known_host "${1:-}"; host_exec "$@"; }

cmd_status() {
  local h s
  for h in $(all_hosts); do
    s=off
    if leader "$h" >/dev/null; then s=$(host_exec "$h" systemctl is-system-running 2>/dev/null) || true; fi
    load_network
    if [ "$(cat "/sys/class/net/$(link "$h")/operstate" 2>/dev/null)" != up ]; then s="$s, cut"; fi
    printf '%-16s %-14s %s\n' "$h" "$(address "$h")" "$s"
  done
}

cmd_inventory() {
  local h
  [ -s "$state/net" ] || die "lab $LAB is not up"
  for h in $(all_hosts); do
    jq -nc --arg name "$h" --arg address "$(address "$h")" --arg dir "$state/hosts/$h" \
      --arg hostKey "$(cut -d' ' -f1,2 "$state/hosts/$h/ssh_host_ed25519_key.pub")" \
      '{name: $name, address: $address, port: 22, users: ["root", "deploy"], hostKey: $hostKey,
        hostKeyFile: ($dir + "/ssh_host_ed25519_key"), root: ($dir + "/root"), consoleLog: ($dir + "/console.log")}'
  done | jq -s --arg lab "$LAB" --arg state "$state" --arg net "$(cat "$state/net")" --arg key "$key" \
    --arg known "$known" --arg config "$ssh_config" \
    '{lab: $lab, state: $state, network: "10.77.\($net).0/24", gateway: "10.77.\($net).1", identityFile: $key,
      knownHosts: $known, sshConfig: $config, hosts: .}'
}

# This machine's own Nix with a store in the lab's folder: the paths say /nix/store, the files lie
# under it. Builds need the sandbox for that, with this machine's shell and coreutils let in.
cmd_env() {
  mkdir -p "$state/nix/conf" "$state/nix/cache" "$state/store"
  cat > "$state/nix/conf/nix.conf" <<C
experimental-features = nix-command flakes
build-users-group =
substituters =
store = local?root=$state/store
sandbox = true
filter-syscalls = false
extra-sandbox-paths = /bin /usr /lib /lib64
C
  # XDG_CACHE_HOME: Nix keeps there what it knows about a store, so it must go with the store. Our own
  # cache must not follow it.
  printf 'export ROTATE_CACHE=%q\n' "${ROTATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rotate}"
  printf 'export NIX_CONF_DIR=%q\nexport NIX_SSHOPTS=%q\nexport XDG_CACHE_HOME=%q\nexport PATH=%q:"$PATH"\n' \
    "$state/nix/conf" "-F $ssh_config" "$state/nix/cache" "$here/bin"
}

cmd_install() {
  [ $# -ge 2 ] || usage
  local flake=$1 h
  shift
  eval "$(cmd_env)"
  for h in "$@"; do
    known_host "$h"
    nixos-rebuild switch --flake "$flake#$h" --target-host "root@$(address "$h")" >/dev/null
  done
}

cmd_base() { need_root; "$here/base.sh"; }

command=${1:-}
[ $# = 0 ] || shift
case $command in
  up|down|ssh|exec|cut|heal|reboot|off|fill|drain|status|inventory|env|install|base) "cmd_$command" "$@" ;;
  *) usage ;;
esac
