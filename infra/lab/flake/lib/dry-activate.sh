#!/bin/sh
# What NixOS runs in a dry activation: snippets that say what they would do.
# First of all: units and transient units have no coreutils on theirs.
PATH=/opt/lab/sw/bin
export PATH
top=$(dirname "$(readlink -f "$0")")
. "$top/lab/dry-activate-extra.sh"
