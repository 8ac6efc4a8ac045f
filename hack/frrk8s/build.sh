#!/usr/bin/env bash
# Builds the frr-k8s binaries that tests and the lab run, unmodified, into a
# folder, with the script that has FRR take a new configuration:
#   build.sh FOLDER
# A minute or two on two cores, once.
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"

echo "Building frr-k8s' daemon, status reporter and webhook $(go list -m -f '{{.Version}}' github.com/metallb/frr-k8s)"
CGO_ENABLED=0 go build -ldflags "-s -w" -o "$folder/" \
	github.com/metallb/frr-k8s/cmd/frr-k8s-controller \
	github.com/metallb/frr-k8s/cmd/statuscleaner
# Its own images call it so.
CGO_ENABLED=0 go build -ldflags "-s -w" -o "$folder/frr-status" github.com/metallb/frr-k8s/cmd/status
install -m 0755 "$(go list -m -f '{{.Dir}}' github.com/metallb/frr-k8s)/cmd/reloader/frr-reloader.sh" "$folder/"
