#!/usr/bin/env bash
# What `agenix -e FILE` (the text by stdin) and `agenix --rekey` do, file by file: two evaluations of the rules (the
# file's keys, and whether it is to be armored), a folder for the clear text and one for the new file, age to decrypt
# what is there (and a copy of it to compare with), age to encrypt. Only the clear text is kept in memory here, which is
# no slower.
#
# usage: agenix.sh IDENTITY           in the folder of secrets.nix; every file that it names is opened and written anew
#        agenix.sh IDENTITY < TEXTS   the same, with new texts: a line of NAME, tab and text for each file
set -euo pipefail
identity=$1
rules=./secrets.nix
memory=/dev/shm
folders=()
cleanup() { [ ${#folders[@]} = 0 ] || rm -rf "${folders[@]}"; folders=(); }
trap cleanup EXIT

evaluate() { nix-instantiate --json --eval --strict -E "$1"; }

# edit FILE [TEXT]: without a new text the old one is kept
edit() {
  local file=$1 keys armor clear text new encrypt=()
  keys=$(evaluate "(let rules = import $rules; in rules.\"$file\".publicKeys)" | jq -r '.[]')
  armor=$(evaluate "(let rules = import $rules; in (builtins.hasAttr \"armor\" rules.\"$file\" && rules.\"$file\".armor))")
  clear=$(mktemp -d -p "$memory") && folders+=("$clear")
  text=$clear/$(basename -- "$file")
  if [ -f "$file" ]; then
    age --decrypt --identity "$identity" -o "$text" -- "$file"
    cp -- "$text" "$text.before"
  fi
  if [ $# = 2 ]; then printf '%s\n' "$2" | cp -- /dev/stdin "$text"; fi
  if [ "$armor" = true ]; then encrypt+=(--armor); fi
  while IFS= read -r key; do encrypt+=(--recipient "$key"); done <<< "$keys"
  new=$(mktemp -d) && folders+=("$new")
  age --encrypt "${encrypt[@]}" -o "$new/$(basename -- "$file")" < "$text"
  mkdir -p -- "$(dirname -- "$file")"
  mv -f -- "$new/$(basename -- "$file")" "$file"
  cleanup
}

texts=$(cat)
if [ -n "$texts" ]; then
  while IFS=$'\t' read -r file text; do edit "$file" "$text"; done <<< "$texts"
else
  for file in $(evaluate "(builtins.attrNames (import $rules))" | jq -r '.[]'); do edit "$file"; done
fi
