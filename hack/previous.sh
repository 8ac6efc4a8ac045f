#!/usr/bin/env bash
# Builds manager and agent of a commit, to upgrade from:
#   previous.sh FOLDER COMMIT
# FOLDER gets both programs, and in checkout what they were built from.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1 commit=$2
[[ ! -e $folder/checkout ]] || git worktree remove --force "$folder/checkout"
hack/remove.sh "$folder"
mkdir -p "$folder"
git worktree add --quiet --detach "$folder/checkout" "$commit"
go build -C "$folder/checkout" -ldflags "-s -w" -o "$folder/" ./cmd/manager ./cmd/agent
