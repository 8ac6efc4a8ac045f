// Package frrk8s tests the operator's output against its consumer: the CRD of frr-k8s
// on a real API server, and frr-k8s' own conversion, in its unmodified validating
// webhook.
//
// It has no expectations of its own about the output: every golden file of the planner
// must pass here. It runs no FRR.
package frrk8s
