#!/usr/bin/env bash
# Builds the control plane that tests and the demo run into a folder:
#   build.sh FOLDER
# About four minutes and 2 GB of Go build cache on two cores, once.
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"

version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
IFS=. read -r major minor _ <<<"${version#v}"
component=k8s.io/component-base/version
# Without a version of its own the API server serves v0.0.0, which its feature
# gates and kubectl's version check take for very old.
flags="-s -w -X $component.gitVersion=$version -X $component.gitMajor=$major -X $component.gitMinor=$minor"

echo "Building kube-apiserver and kubectl $version (minutes, once)"
CGO_ENABLED=0 go build -ldflags "$flags" -o "$folder/" \
	k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl
echo "Building etcd $(go list -m -f '{{.Version}}' go.etcd.io/etcd/server/v3)"
CGO_ENABLED=0 go build -ldflags "-s -w" -o "$folder/etcd" go.etcd.io/etcd/server/v3
