#!/bin/sh
# The activation script. Like NixOS's it goes on after a snippet that failed and says so in its exit
# status. It runs in a switch and, before systemd, at boot.
# First of all: units and transient units have no coreutils on theirs.
PATH=/opt/lab/sw/bin
export PATH
top=$(readlink -f "$0")
top=${top%/*}
status=0
knob() {
  while IFS='=' read -r key value; do
    if [ "$key" = "$1" ]; then printf %s "$value"; return; fi
  done < "$top/lab/knobs"
}

. "$top/lab/secrets.sh"
secrets_install || { status=1; echo "Activation script snippet 'agenixInstall' failed (1)"; }

# /etc: this generation's files are linked, those that only the last one had are removed.
mkdir -p /var/lib/lab
: > /var/lib/lab/etc.new
find "$top/etc" \( -type f -o -type l \) -printf '%P\n' | while read -r f; do
  case $f in */*) [ -d "/etc/${f%/*}" ] || mkdir -p "/etc/${f%/*}" ;; esac
  ln -sfn "$top/etc/$f" "/etc/$f"
  echo "$f" >> /var/lib/lab/etc.new
done
if [ -e /var/lib/lab/etc ]; then
  while read -r f; do
    grep -qxF "$f" /var/lib/lab/etc.new || rm -f "/etc/$f"
  done < /var/lib/lab/etc
fi
mv /var/lib/lab/etc.new /var/lib/lab/etc

. "$top/lab/activate-extra.sh" || status=1
if [ "$(knob failActivation)" = true ] || [ -e /etc/lab/fail-activation ]; then
  echo "Activation script snippet 'lab' failed (1)"
  status=1
fi

ln -sfn "$top" /run/current-system
exit $status
