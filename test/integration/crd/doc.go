// SPDX-License-Identifier: Apache-2.0

// Package crd asks a real kube-apiserver what the CustomResourceDefinitions of
// k8s.ovn.org accept and refuse, one table per kind: what OVN-Kubernetes takes
// must be taken, and what it refuses must be refused with words that tell the
// user what to do. It is about the API alone: nothing here runs a controller.
package crd
