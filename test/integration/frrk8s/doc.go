// Package frrk8s tests what the operator writes against what takes it: the CRD
// of frr-k8s on a real API server, and frr-k8s' own conversion, by its
// unmodified validating webhook.
//
// It has no expectations of its own about what is rendered: those are the
// planner's golden files, each of which has to pass here. It runs no FRR.
package frrk8s
