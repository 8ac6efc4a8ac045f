#!/usr/bin/env bash
# Builds manager and agent of a commit, to upgrade from:
#   previous.sh FOLDER COMMIT
# FOLDER gets both programs, and in checkout what they were built from.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$1 commit=$2
hack/remove.sh "$folder"
git worktree prune
mkdir -p "$folder"
git worktree add --quiet --detach "$folder/checkout" "$commit"
go build -C "$folder/checkout" -ldflags "-s -w" -o "$folder/" ./cmd/manager ./cmd/agent
