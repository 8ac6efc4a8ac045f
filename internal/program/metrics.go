package program

import (
	"crypto/tls"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

// Metrics are the flags for a program's Prometheus metrics. Metrics reveal the
// cluster's networks and nodes, so by default only clients that RBAC allows to GET
// /metrics may read them.
type Metrics struct {
	Address string
	Secure  bool
	CertDir string
}

// AddTo adds the flags.
func (m *Metrics) AddTo(f *pflag.FlagSet) {
	f.StringVar(&m.Address, "metrics-bind-address", m.Address,
		"address that serves Prometheus metrics under /metrics; 0 disables it")
	f.BoolVar(&m.Secure, "metrics-secure", m.Secure,
		"serve metrics over TLS to clients that RBAC allows to GET /metrics; "+
			"if false, serve them in clear text to anyone")
	f.StringVar(&m.CertDir, "metrics-cert-dir", m.CertDir,
		"folder with tls.crt and tls.key for metrics, which are read again when they change "+
			"(default: a self-signed certificate)")
}

// Validate finds mistakes that would otherwise show only at the first scrape.
func (m *Metrics) Validate() error {
	if m.CertDir == "" {
		return nil
	}
	if !m.Secure {
		return errors.New("--metrics-cert-dir has no effect with --metrics-secure=false: remove one of them")
	}
	// Without a certificate the server would use one of its own.
	if _, err := tls.LoadX509KeyPair(filepath.Join(m.CertDir, "tls.crt"), filepath.Join(m.CertDir, "tls.key")); err != nil {
		return fmt.Errorf("--metrics-cert-dir: %w", err)
	}
	return nil
}

// Server converts the flags to the server's options.
func (m *Metrics) Server() metricsserver.Options {
	out := metricsserver.Options{BindAddress: m.Address, SecureServing: m.Secure}
	if m.Address == "" {
		// To the server, this means an address of its own choice.
		out.BindAddress = "0"
	}
	if !m.Secure {
		return out
	}
	out.FilterProvider = filters.WithAuthenticationAndAuthorization
	if m.CertDir != "" {
		out.CertDir = m.CertDir
	} else {
		// Without this it looks in the temporary folder, where anyone on a shared
		// machine may have put a key.
		out.CertDir = "/nonexistent"
	}
	return out
}
