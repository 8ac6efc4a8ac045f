#!/usr/bin/env bash
# Compares benchmarks with an earlier commit:
#   bench-compare.sh BENCHSTAT FOLDER COMMIT PACKAGES...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

benchstat=$1
folder=$2
base=$3
shift 3

mkdir -p "$folder"
checkout=$(mktemp -d "$folder/base-XXXXXX")
trap 'git worktree remove --force "$checkout"' EXIT
git worktree add --quiet --detach "$checkout" "$base"

measure() { # FOLDER RESULT
	# Interleaving would be fairer, but six runs of each show the noise too.
	go -C "$1" test -run '^$' -bench . -benchmem -count 6 "${packages[@]}" >"$2"
}
packages=("$@")
measure "$checkout" "$folder/base.txt"
measure . "$folder/changed.txt"
"$benchstat" "$base=$folder/base.txt" "here=$folder/changed.txt"
