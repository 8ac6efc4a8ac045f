// SPDX-License-Identifier: Apache-2.0

// Package crd tests on a real kube-apiserver what the CustomResourceDefinitions of
// k8s.ovn.org accept and refuse, with one table per kind. They must accept what
// OVN-Kubernetes accepts, and refuse what it refuses, with a message that tells the
// user what to do. It tests the API alone, and runs no controller.
package crd
