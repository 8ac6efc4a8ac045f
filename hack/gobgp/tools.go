//go:build tools

// Package gobgp pins the version of GoBGP's client.
package gobgp

import _ "github.com/osrg/gobgp/v4/cmd/gobgp"
