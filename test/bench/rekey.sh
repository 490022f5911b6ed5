#!/usr/bin/env bash
# `agenix --rekey` as agenix does it, file by file: two evaluations of the rules (its keys, and whether it is to be
# armored), a folder for the clear text and one for the new file, a copy of the clear text to compare with, age to
# decrypt and age to encrypt. Only the clear text is kept in memory here, which is no slower.
#
# usage: rekey.sh IDENTITY        in the folder of secrets.nix
set -euo pipefail
identity=$1
rules=./secrets.nix
memory=/dev/shm
folders=()
cleanup() { [ ${#folders[@]} = 0 ] || rm -rf "${folders[@]}"; folders=(); }
trap cleanup EXIT

evaluate() { nix-instantiate --json --eval --strict -E "$1"; }

for file in $(evaluate "(builtins.attrNames (import $rules))" | jq -r '.[]'); do
  keys=$(evaluate "(let rules = import $rules; in rules.\"$file\".publicKeys)" | jq -r '.[]')
  armor=$(evaluate "(let rules = import $rules; in (builtins.hasAttr \"armor\" rules.\"$file\" && rules.\"$file\".armor))")
  clear=$(mktemp -d -p "$memory") && folders+=("$clear")
  text=$clear/$(basename -- "$file")
  age --decrypt --identity "$identity" -o "$text" -- "$file"
  cp -- "$text" "$text.before"
  encrypt=()
  if [ "$armor" = true ]; then encrypt+=(--armor); fi
  while IFS= read -r key; do encrypt+=(--recipient "$key"); done <<< "$keys"
  new=$(mktemp -d) && folders+=("$new")
  age --encrypt "${encrypt[@]}" -o "$new/$(basename -- "$file")" < "$text"
  mkdir -p -- "$(dirname -- "$file")"
  mv -f -- "$new/$(basename -- "$file")" "$file"
  cleanup
done
