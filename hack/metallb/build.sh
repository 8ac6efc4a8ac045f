#!/usr/bin/env bash
# Builds the MetalLB binaries that tests run, unmodified, into a folder:
#   build.sh FOLDER KUSTOMIZE
# and beside them, as metallb.yaml, what MetalLB's own kustomization for an
# frr-k8s that is there already installs: CRDs and RBAC are taken from it.
# A minute or two on two cores, once.
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
kustomize=$(readlink -f "$2")
cd "$(dirname "${BASH_SOURCE[0]}")"

metallb=go.universe.tf/metallb
echo "Building MetalLB's controller and speaker $(go list -m -f '{{.Version}}' $metallb)"
for program in controller speaker; do
	CGO_ENABLED=0 go build -ldflags "-s -w" -o "$folder/metallb-$program" "$metallb/$program"
done
"$kustomize" build "$(go list -m -f '{{.Dir}}' $metallb)/config/frr-k8s-external" >"$folder/metallb.yaml"
