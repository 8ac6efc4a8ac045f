#!/usr/bin/env bash
# Builds the frr-k8s binaries that tests run, unmodified, into a folder:
#   build.sh FOLDER
# A minute or two on two cores, once.
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"

echo "Building frr-k8s-controller and statuscleaner (frr-k8s' webhook) $(go list -m -f '{{.Version}}' github.com/metallb/frr-k8s)"
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$folder/" \
	github.com/metallb/frr-k8s/cmd/frr-k8s-controller \
	github.com/metallb/frr-k8s/cmd/statuscleaner
