//go:build tools

// Package frrk8s pins the version of frr-k8s' binaries.
package frrk8s

import (
	_ "github.com/metallb/frr-k8s/cmd/frr-k8s-controller"
	_ "github.com/metallb/frr-k8s/cmd/status"
	_ "github.com/metallb/frr-k8s/cmd/statuscleaner"
)
