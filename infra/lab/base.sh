#!/usr/bin/env bash
# Builds the lab's base image: the root file system that all hosts share, read-only, as the lower
# layer of an overlay. A Debian 13 root dressed up as NixOS where the orchestrator can tell: what is on
# PATH, where age and psql are, which units get which environment, what runs before systemd at boot.
#
#   base.sh            builds it unless it is there already, and prints where it is
#   base.sh --path     prints where it is (or would be)
#
# The image's name holds a checksum of this file, so that an edit here makes a new image.
set -euo pipefail

cache=${ROTATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rotate}
self=$(readlink -f "${BASH_SOURCE[0]}")
image=$cache/lab-base-$(sha256sum "$self" | cut -c1-12)

if [ "${1:-}" = --path ]; then echo "$image"; exit 0; fi
if [ -e "$image/.ready" ]; then echo "$image"; exit 0; fi
[ "$(id -u)" = 0 ] || { echo "lab: the base image needs root" >&2; exit 1; }

# Two tests may start at once: the second waits here and then finds the image made.
mkdir -p "$cache"
exec 8>>"$cache/lab-base.lock"
flock 8
if [ -e "$image/.ready" ]; then echo "$image"; exit 0; fi

log=$cache/lab-base.log
echo "lab: building the base image, once (about a minute, log in $log)" >&2
r=$cache/lab-base.tmp
rm -rf "$r"
exec 7>"$log"

debian() {
  # libdbi-perl by name: debootstrap does not resolve the virtual package that nix-bin's
  # dependencies want of it, and fails without.
  mkdir -p "$cache/debs"
  debootstrap --variant=minbase --cache-dir="$cache/debs" \
    --include=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,libdbi-perl,nix-bin,age,iproute2,sudo,procps,ca-certificates,util-linux-extra \
    trixie "$r"
  # No service may start in a chroot, and PostgreSQL must not make a cluster of its own.
  printf '#!/bin/sh\nexit 101\n' > "$r/usr/sbin/policy-rc.d"
  chmod 755 "$r/usr/sbin/policy-rc.d"
  mkdir -p "$r/etc/postgresql-common"
  echo 'create_main_cluster = false' > "$r/etc/postgresql-common/createcluster.conf"
  # The second half of the packages come by apt, because debootstrap cannot resolve them; it may
  # need this machine's way to the internet.
  cp -L /etc/resolv.conf "$r/etc/resolv.conf" || true
  apt-config dump Acquire > "$r/etc/apt/apt.conf.d/99host"
  [ ! -e /etc/ssl/certs/ca-certificates.crt ] || cp -L /etc/ssl/certs/ca-certificates.crt "$r/etc/ssl/certs/"
  DEBIAN_FRONTEND=noninteractive chroot "$r" apt-get -q -y --no-install-recommends \
    -o Dpkg::Options::=--force-confold install postgresql
  rm -f "$r/usr/sbin/policy-rc.d" "$r/etc/resolv.conf" "$r/etc/apt/apt.conf.d/99host"
  rm -rf "$r"/var/cache/apt/archives/*.deb "$r"/var/lib/apt/lists/* "$r"/usr/share/doc "$r"/usr/share/man
}

# A NixOS host has neither age nor jq nor psql on PATH. age is where the configuration says
# (age.ageBin), psql is beside the server's binary, as in the store path of PostgreSQL.
tools() {
  local n p f
  mkdir -p "$r/opt/lab/age/bin" "$r/opt/lab/sw/bin" "$r/opt/lab/fs/bin"
  mv "$r/usr/bin/age" "$r/usr/bin/age-keygen" "$r/opt/lab/age/bin/"
  rm -f "$r/usr/bin/jq"
  find "$r/usr/bin" -lname '*pg_wrapper*' -delete
  # What environment.systemPackages has by default; logins get this and nothing else.
  for p in bash coreutils diffutils findutils grep gzip hostname iproute2 less mawk mount \
           nix-bin openssh-client openssh-server passwd procps sed systemd tar util-linux util-linux-extra \
           bsdutils libc-bin login ncurses-bin perl-base; do
    chroot "$r" dpkg-query -L "$p" 2>/dev/null || true
  done | grep -E '^(/usr)?/s?bin/[^/]+$' | while read -r f; do
    n=${f##*/}
    [ ! -e "$r$f" ] && [ ! -L "$r$f" ] || ln -sf "$f" "$r/opt/lab/sw/bin/$n"
  done
  ln -sf /usr/bin/mawk "$r/opt/lab/sw/bin/awk"
  ln -sf /bin/sh "$r/opt/lab/sw/bin/sh"
  # What units find by default: on NixOS the tools of the file systems, without coreutils. A job
  # that does not set its own PATH must fail here too.
  for n in mount umount fsck swapon swapoff mkswap; do
    f=$(chroot "$r" sh -c "command -v $n") && ln -sf "$f" "$r/opt/lab/fs/bin/$n"
  done
  cat > "$r/opt/lab/sw/bin/nixos-version" <<'C'
#!/bin/sh
# Started as GENERATION/sw/bin/nixos-version: each generation answers for itself.
top=${0%/sw/bin/*}
case ${1:-} in
  --configuration-revision|--revision) cat "$top/configuration-revision" 2>/dev/null ;;
  *) cat "$top/nixos-version" && echo ;;
esac
C
  chmod 755 "$r/opt/lab/sw/bin/nixos-version"
}

# What runs before systemd, as NixOS's stage 2: activates what the boot loader points at. Because it
# runs first, units of a configuration that was only tried (`test`) are gone after a reboot.
stage2() {
  cat > "$r/opt/lab/init" <<'C'
#!/bin/sh
PATH=/opt/lab/sw/bin
export PATH
mkdir -p /run/wrappers/bin /run/nixos
for w in sudo su mount umount; do ln -sf "/usr/bin/$w" /run/wrappers/bin/; done
top=$(cat /boot/loader/default 2>/dev/null)
if [ -n "$top" ] && [ -x "$top/activate" ]; then
  ln -sfT "$top" /run/booted-system
  "$top/activate"
fi
unset PATH
exec /usr/lib/systemd/systemd "$@"
C
  chmod 755 "$r/opt/lab/init"
}

settings() {
  local u
  # Units that make no sense in a container or only slow the boot.
  for u in console-getty.service getty@.service getty-static.service getty.target \
           systemd-firstboot.service systemd-journal-flush.service systemd-update-utmp.service \
           systemd-update-utmp-runlevel.service systemd-modules-load.service systemd-sysctl.service \
           systemd-hwdb-update.service systemd-sysusers.service systemd-random-seed.service \
           systemd-pcrphase.service systemd-journal-catalog-update.service systemd-update-done.service \
           ldconfig.service systemd-tmpfiles-clean.timer remote-cryptsetup.target \
           e2scrub_reap.service e2scrub_all.timer fstrim.timer dpkg-db-backup.timer \
           apt-daily.service apt-daily-upgrade.service apt-daily.timer apt-daily-upgrade.timer \
           dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount; do
    ln -sf /dev/null "$r/etc/systemd/system/$u"
  done
  rm -f "$r/etc/systemd/system/multi-user.target.wants/postgresql.service"   # a host opts in
  # They look for what a container has not, at each boot and each daemon-reload.
  rm -f "$r"/usr/lib/systemd/system-generators/*
  ln -sf /usr/lib/systemd/system/multi-user.target "$r/etc/systemd/system/default.target"
  : > "$r/etc/machine-id"
  rm -f "$r"/etc/ssh/ssh_host_*
  # What switch-to-configuration and people look for.
  touch "$r/etc/NIXOS"
  rm -f "$r/etc/os-release"
  printf 'ID=nixos\nNAME=NixOS\nPRETTY_NAME="NixOS (lab)"\nVERSION_ID="25.11"\n' > "$r/etc/os-release"

  mkdir -p "$r/etc/systemd/system.conf.d" "$r/etc/systemd/journald.conf.d" "$r/etc/lab"
  cat > "$r/etc/systemd/system.conf.d/lab.conf" <<'C'
[Manager]
DefaultEnvironment=PATH=/opt/lab/fs/bin
DefaultTimeoutStopSec=15s
C
  printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\n' > "$r/etc/systemd/journald.conf.d/lab.conf"

  cat > "$r/etc/ssh/sshd_config.d/lab.conf" <<'C'
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UseDNS no
# Of the hybrid one, which OpenSSH would take, a client makes keys for a tenth of a second of CPU.
KexAlgorithms curve25519-sha256
HostKey /etc/ssh/ssh_host_ed25519_key
MaxStartups 100:30:200
SetEnv PATH=/run/wrappers/bin:/run/current-system/sw/bin:/opt/lab/sw/bin
C
  # Login shells read this after sshd has set the environment.
  echo 'PATH=/run/wrappers/bin:/run/current-system/sw/bin:/opt/lab/sw/bin; export PATH' > "$r/etc/profile"
  : > "$r/etc/environment"
  rm -f "$r/etc/motd" "$r"/etc/update-motd.d/*
  # NixOS has neither; each login would run programs for them.
  sed -i '/pam_motd\|pam_mail/d' "$r/etc/pam.d/sshd"

  mkdir -p "$r/etc/nix" "$r/nix/store" "$r/nix/var/nix/profiles" "$r/boot/loader"
  # No sandbox: it cannot nest in the container. Real machines must have it.
  cat > "$r/etc/nix/nix.conf" <<'C'
experimental-features = nix-command flakes
sandbox = false
substituters =
build-users-group =
trusted-users = root deploy
C
  # The daemon lets a user who is not root receive and build closures.
  cat > "$r/etc/systemd/system/nix-daemon.socket" <<'C'
[Unit]
Description=Nix daemon socket
ConditionPathIsReadWrite=/nix/var/nix
[Socket]
ListenStream=/nix/var/nix/daemon-socket/socket
C
  cat > "$r/etc/systemd/system/nix-daemon.service" <<'C'
[Unit]
Description=Nix daemon
[Service]
Environment=PATH=/opt/lab/sw/bin
ExecStart=/usr/bin/nix-daemon
KillMode=process
C
  mkdir -p "$r/etc/systemd/system/sockets.target.wants"
  ln -sf ../nix-daemon.socket "$r/etc/systemd/system/sockets.target.wants/nix-daemon.socket"

  chroot "$r" useradd -m -s /bin/bash deploy
  chroot "$r" useradd -r -U -s /usr/sbin/nologin app
  chroot "$r" groupadd -rf keys
  cat > "$r/etc/sudoers.d/lab" <<'C'
Defaults secure_path="/run/wrappers/bin:/run/current-system/sw/bin:/opt/lab/sw/bin"
deploy ALL=(ALL) NOPASSWD: ALL
C
  chmod 440 "$r/etc/sudoers.d/lab"
}

# By a trap, because `if ! build` would switch errexit off inside.
made=
trap '[ -n "$made" ] || { tail -n 5 "$log"; echo "lab: the base image could not be built, see $log"; } >&2' EXIT
debian >&7 2>&1
tools >&7 2>&1
stage2 >&7 2>&1
settings >&7 2>&1
touch "$r/.ready"
rm -rf "$image"
mv "$r" "$image"
made=1
echo "$image"
