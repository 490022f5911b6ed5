#!/usr/bin/env bash
# Keeps one host of the lab running: starts systemd-nspawn and starts it again when the host reboots.
#
#   host.sh STATE NAME UNIT NETNS CGROUP
#
# lab.sh starts it detached. It ends when the host powers off or is killed.
set -euo pipefail
state=$1 name=$2 machine=$3 netns=$4 cgroup=$5
dir=$state/hosts/$name

# Whatever the caller had open (pipes, locks) must not live on in here, or `lab up | cat` never ends.
for fd in /proc/"$BASHPID"/fd/*; do
  fd=${fd##*/}
  if [ "$fd" -gt 2 ]; then eval "exec $fd>&-"; fi
done

# A cgroup per host, in each hierarchy that systemd tracks processes with: nspawn runs with
# --keep-unit, so without this all hosts would share one and kill each other's services. The
# supervisor has one of its own, because nspawn wants to be alone in its.
enter() {
  local h
  for h in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -e "$h/cgroup.procs" ]; then
      mkdir -p "$h/$1"
      echo "$BASHPID" > "$h/$1/cgroup.procs"
    fi
  done
}

# pid and start time: a pid alone may belong to another process by the time it is used.
record() { echo "$1 $(cut -d' ' -f22 "/proc/$1/stat")" > "$2.new" && mv "$2.new" "$2"; }

enter "$cgroup.ctl"
record "$BASHPID" "$dir/supervisor.pid"
# A pure cgroup v2 inside, as on NixOS, whatever the layout is outside.
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_LOG_LEVEL=warning

while :; do
  code=0
  (
    enter "$cgroup"
    exec setsid systemd-nspawn --quiet --register=no --keep-unit --kill-signal=SIGRTMIN+3 \
      --directory="$dir/root" --machine="$machine" --hostname="$name" \
      --network-namespace-path="/run/netns/$netns" --capability=CAP_NET_ADMIN \
      --resolv-conf=off --timezone=off --link-journal=no /opt/lab/init
  ) &
  child=$!
  record "$child" "$dir/nspawn.pid"
  wait "$child" || code=$?
  rm -f "$dir/nspawn.pid"
  # 133 is how nspawn reports a reboot of its payload when it does not manage the unit itself.
  [ "$code" = 133 ] || break
  echo "lab: $name reboots"
done
exit "$code"
