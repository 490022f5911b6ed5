/**
 * Shell functions that several scripts on a host need. POSIX sh, and only tools that every NixOS host has
 * (coreutils, util-linux, sed, grep, systemd, nix).
 */

/** `monotonic_us`: the clock of systemd's `…TimestampMonotonic`, in microseconds. */
export const monotonicClock = `
monotonic_us() {
  _ns=$(sed -n -e 's/^now at \\([0-9]*\\) nsecs.*/\\1/p' -e '/^now at/q' /proc/timer_list 2>/dev/null) || _ns=
  if [ -n "$_ns" ]; then echo $((_ns / 1000)); return; fi
  # Not shown in a container: then the time since boot, which differs by what the machine has slept.
  read -r _up _rest < /proc/uptime
  _cs=\${_up#*.}
  echo $((\${_up%.*} * 1000000 + (1$_cs - 100) * 10000))
}
`;

/**
 * `boot_default`: the system that the boot loader starts, or nothing when that cannot be told. Knows
 * systemd-boot, GRUB, extlinux, and a plain file for loaders of one's own (boot.loader.external).
 */
export const bootDefault = `
boot_default() {
  for _b in /boot /efi /boot/efi; do
    [ -r "$_b/loader/loader.conf" ] || continue
    _e=$(sed -n 's/^default[[:space:]]\\{1,\\}//p' "$_b/loader/loader.conf" | tail -n 1)
    _t=$(sed -n 's|^options.*init=\\(/nix/store/[^/ ]*\\)/init.*|\\1|p' "$_b/loader/entries/\${_e%.conf}.conf" 2>/dev/null | head -n 1)
    if [ -n "$_t" ]; then echo "$_t"; return; fi
  done
  if [ -r /boot/loader/default ]; then
    _t=$(sed -n 's|^\\(/nix/store/[^/ ]*\\)/*$|\\1|p' /boot/loader/default | head -n 1)
    if [ -n "$_t" ]; then echo "$_t"; return; fi
  fi
  for _g in /boot/grub/grub.cfg /boot/extlinux/extlinux.conf; do
    [ -r "$_g" ] || continue
    sed -n 's|.*init=\\(/nix/store/[^/ ]*\\)/init.*|\\1|p' "$_g" | head -n 1
    return
  done
}
`;

/** `resolve LINK`: where a link leads in the end, or nothing. */
export const resolveLink = `
resolve() { if [ -e "$1" ]; then readlink -f "$1"; fi; }
`;

/** `failed_units`: those that are failed, or being restarted because they failed; sorted, without our own. */
export const failedUnits = `
failed_units() {
  systemctl list-units --all --state="\${1:-failed,auto-restart}" --plain --no-legend --full --no-pager |
    while read -r _u _rest; do
      case $_u in rotate-*) ;; *) echo "$_u" ;; esac
    done | sort -u
}
`;
