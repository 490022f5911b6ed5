# agenix's activation, sourced by activate with $top set. The same order and the same faults: all
# secrets are decrypted into a new generation; one that fails is simply missing from it; the link
# is moved to it nevertheless, and the old generation is deleted.
. "$top/lab/age"

# rows: name, ciphertext, path, mode, owner, group, symlink, units to restart;reload
secrets_each() {
  while IFS=$(printf '\t') read -r name file path mode owner group symlink units; do
    [ -z "$name" ] || "$1"
  done < "$top/lab/secrets"
}

secret_target() {
  if [ "$symlink" = 1 ]; then target=$generation/$name; else target=$path; fi
}

secret_install() {
  secret_target
  echo "decrypting '$file' to '$target'..."
  mkdir -p "$(dirname "$target")"
  [ "$path" = "$secretsDir/$name" ] || mkdir -p "$(dirname "$path")"
  flags=
  for i in $identities; do flags="$flags -i $i"; done
  # The umask matters: the file is never readable to others, not even for a moment.
  # shellcheck disable=SC2086  # a list of flags
  if ! (umask 0377; rm -f "$target.tmp"; "$ageBin" --decrypt $flags -o "$target.tmp" "$file"); then failed=1; fi
  chmod "$mode" "$target.tmp" || failed=1
  secret_changed
  mv -f "$target.tmp" "$target" || failed=1
  if [ "$symlink" = 1 ] && [ "$path" != "$secretsDir/$name" ]; then ln -sfn "$secretsDir/$name" "$path"; fi
}

# What sops-nix does: only when the clear text has changed, the switch is asked to restart units.
secret_changed() {
  [ "$units" != ";" ] && [ -e "$target.tmp" ] || return 0
  [ ! -e "$path" ] || cmp -s "$path" "$target.tmp" || secret_ask_restart
}
secret_ask_restart() {
  printf '%s' "${units%%;*}" | tr , '\n' | sed '/^$/d; $a\' >> /run/nixos/activation-restart-list
  printf '%s' "${units##*;}" | tr , '\n' | sed '/^$/d; $a\' >> /run/nixos/activation-reload-list
}

secret_chown() {
  secret_target
  chown "$owner:$group" "$target" || failed=1
}

secrets_install() {
  failed=0
  [ -n "$(head -c 1 "$top/lab/secrets" | tr -d '\n')" ] || return 0
  number=$(basename "$(readlink "$secretsDir" || echo 0)")
  number=$((number + 1))
  generation=$secretsMountPoint/$number
  echo "[agenix] creating new generation in $generation"
  mkdir -p "$secretsMountPoint" /run/nixos
  chmod 0751 "$secretsMountPoint"
  # ramfs, not tmpfs: it is never swapped out.
  grep -q "$secretsMountPoint ramfs" /proc/mounts \
    || mount -t ramfs none "$secretsMountPoint" -o nodev,nosuid,mode=0751 || failed=1
  mkdir -p "$generation"
  chmod 0751 "$generation"
  echo "[agenix] decrypting secrets..."
  for i in $identities; do
    [ -f "$i" ] || echo "[agenix] WARNING: config.age.identityPaths entry $i not present!"
  done
  secrets_each secret_install
  echo "[agenix] symlinking new secrets to $secretsDir (generation $number)..."
  ln -sfn "$generation" "$secretsDir"
  if [ "$number" -gt 1 ]; then
    echo "[agenix] removing old secrets (generation $((number - 1)))..."
    rm -rf "${secretsMountPoint:?}/$((number - 1))"
  fi
  echo "[agenix] chowning..."
  chown :keys "$secretsMountPoint" "$generation"
  secrets_each secret_chown
  return "$failed"
}
