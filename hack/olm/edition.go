package main

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// edition is one package of the catalog. There are two because a CRD has one
// owner: where OVN-Kubernetes installed those of k8s.ovn.org, OLM must not
// replace them, and elsewhere nobody but OLM brings them. They are packages and
// not channels of one, as a package can't have the same version twice.
type edition struct {
	name        string
	packageName string
	displayName string
	// sentence says in the catalog which clusters the edition is for.
	sentence string
	owns     func(*crd) bool
	// needs are kinds that OLM waits for before it installs.
	needs []metav1.GroupVersionKind
}

var frrConfiguration = metav1.GroupVersionKind{Group: "frrk8s.metallb.io", Version: "v1beta1", Kind: "FRRConfiguration"}

var editions = []edition{{
	name:        "ovn-kubernetes",
	packageName: "ovn-bgp-operator",
	displayName: "OVN BGP Operator",
	sentence:    "This package is for clusters that OVN-Kubernetes runs, which has the CRDs of `k8s.ovn.org` installed.",
	owns:        func(c *crd) bool { return !strings.HasSuffix(c.Spec.Group, "k8s.ovn.org") },
	needs: []metav1.GroupVersionKind{
		frrConfiguration,
		{Group: "k8s.ovn.org", Version: "v1", Kind: "RouteAdvertisements"},
		{Group: "k8s.ovn.org", Version: "v1", Kind: "ClusterUserDefinedNetwork"},
		{Group: "k8s.ovn.org", Version: "v1", Kind: "EgressIP"},
	},
}, {
	name:        "standalone",
	packageName: "ovn-bgp-operator-standalone",
	displayName: "OVN BGP Operator (standalone)",
	sentence:    "This package is for clusters on OVN without OVN-Kubernetes: it brings the CRDs of `k8s.ovn.org`, too.",
	owns:        func(*crd) bool { return true },
	needs:       []metav1.GroupVersionKind{frrConfiguration},
}}
