#!/usr/bin/env bash
# Prints a folder of config/ with another image:
#   deployment.sh KUSTOMIZE FOLDER IMAGE CONFIG
# The image is set in an overlay of its own, so that deploying changes no file
# that git knows.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kustomize=$1
folder=$2
image=$3
config=$4

mkdir -p "$folder"
cat >"$folder/kustomization.yaml" <<END
resources:
- $(realpath --relative-to="$folder" "$config")
END
(cd "$folder" && "$kustomize" edit set image "ovn-bgp-operator=$image")
"$kustomize" build "$folder"
