//go:build tools

// Package prometheus pins the version of promtool and of the Prometheus
// operator's CRDs.
package prometheus

import (
	_ "github.com/prometheus-operator/prometheus-operator/pkg/versionutil"
	_ "github.com/prometheus/prometheus/cmd/promtool"
)
