//go:build tools

// Package metallb pins the version of MetalLB's binaries.
package metallb

import (
	_ "go.universe.tf/metallb/controller"
	_ "go.universe.tf/metallb/speaker"
)
