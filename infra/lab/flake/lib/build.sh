# Builder of a toplevel; /bin/sh runs it with the derivation's attributes as its environment.
set -eu
mkdir -p "$out/bin" "$out/etc/systemd/system/multi-user.target.wants" "$out/lab"
cp "$switch" "$out/bin/switch-to-configuration"
cp "$activate" "$out/activate"
cp "$dryActivate" "$out/dry-activate"
cp "$secretsLib" "$out/lab/secrets.sh"
chmod +x "$out/bin/switch-to-configuration" "$out/activate" "$out/dry-activate"

# The tools of a host are in its image, not in the closure.
ln -s /opt/lab/sw "$out/sw"
printf '%s' "$label" > "$out/nixos-version"
printf '%s' "$revision" > "$out/configuration-revision"
printf '%s' "$initInterface" > "$out/init-interface-version"

printf '%s\n' "$secretRows" > "$out/lab/secrets"
printf '%s\n' "$knobs" > "$out/lab/knobs"
printf '%s\n' "$activateExtra" > "$out/lab/activate-extra.sh"
printf '%s\n' "$dryActivateExtra" > "$out/lab/dry-activate-extra.sh"
cat > "$out/lab/age" <<C
ageBin='$ageBin'
identities='$identities'
secretsDir='$secretsDir'
secretsMountPoint='$secretsMountPoint'
C

set -- $unitFiles
for unit in $unitNames; do
  cp "$1" "$out/etc/systemd/system/$unit"
  shift
done
for unit in $wantedUnits; do
  ln -s "../$unit" "$out/etc/systemd/system/multi-user.target.wants/$unit"
done
set -- $etcFiles
for file in $etcNames; do
  mkdir -p "$(dirname "$out/etc/$file")"
  cp "$1" "$out/etc/$file"
  shift
done
