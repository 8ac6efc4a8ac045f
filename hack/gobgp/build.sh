#!/usr/bin/env bash
# Builds the lab's GoBGP router and GoBGP's client into a folder:
#   build.sh FOLDER
# A minute on two cores, once.
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"

echo "Building gobgprouter and gobgp $(go list -m -f '{{.Version}}' github.com/osrg/gobgp/v4)"
CGO_ENABLED=0 go build -ldflags "-s -w" -o "$folder/" \
	./gobgprouter github.com/osrg/gobgp/v4/cmd/gobgp
