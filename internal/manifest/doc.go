// Package manifest reads Kubernetes manifests from files, directories and standard
// input, and validates them as the API server would: syntax, kinds, unknown fields,
// defaults, schemas and CEL rules, all without a cluster.
//
// It reports every problem that it finds, with file, line and document, and never stops
// at the first one. It decides nothing about BGP, and never connects to an API server.
package manifest

//go:generate sh -c "install -m 644 $(go list -m -f '{{.Dir}}' github.com/metallb/frr-k8s)/config/crd/bases/frrk8s.metallb.io_frrconfigurations.yaml $(go list -m -f '{{.Dir}}' github.com/metallb/frr-k8s)/config/crd/bases/frrk8s.metallb.io_frrnodestates.yaml crds/"
