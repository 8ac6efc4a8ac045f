package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// apply applies manifests as a user would, and deletes their objects after the
// spec.
func apply(ctx context.Context, l *lab.Lab, manifests ...string) {
	GinkgoHelper()
	for _, manifest := range manifests {
		objects, err := l.Kube.Apply(ctx, manifest)
		Expect(err).NotTo(HaveOccurred())
		for _, object := range objects {
			DeferCleanup(func(ctx context.Context) {
				Expect(client.IgnoreNotFound(l.Kube.Client.Delete(ctx, object))).To(Succeed())
			})
		}
	}
}

// remove deletes the objects of manifests.
func remove(ctx context.Context, l *lab.Lab, manifests ...string) {
	GinkgoHelper()
	for _, object := range parse(manifests...) {
		Expect(l.Kube.Client.Delete(ctx, object)).To(Succeed())
	}
}

// peering is a template: every node peers with these routers in the families
// of the lab, and accepts all that they announce.
func peering(l *lab.Lab, routers ...*lab.Router) string {
	return peeringThatReceives(l, "{mode: all}", routers...)
}

// peeringThatReceives is peering with another toReceive.allowed, in YAML's flow
// style; prefixes of the wrong family are ignored by frr-k8s.
func peeringThatReceives(l *lab.Lab, allowed string, routers ...*lab.Router) string {
	var neighbors strings.Builder
	profiles := ""
	for _, r := range routers {
		watched := ""
		if r.BFD {
			watched = "\n        bfdProfile: watched"
			profiles = bfdProfile
		}
		for _, ipv4 := range l.Families() {
			fmt.Fprintf(&neighbors, `
      - address: %s
        asn: %d
        connectTime: 1s
        holdTime: 9s
        keepaliveTime: 3s%s
        toReceive: {allowed: %s}`, r.Address(ipv4), r.ASN, watched, allowed)
		}
	}
	if l.IPv4 {
		return template("fabric", "{}", profiles, "", neighbors.String())
	}
	// FRR takes its BGP identifier from an IPv4 address and opens no session
	// without one, so that each node needs a template of its own.
	var all strings.Builder
	for i, n := range l.Nodes {
		all.WriteString(template("fabric-"+n.Name, "{matchLabels: {kubernetes.io/hostname: "+n.Name+"}}", profiles,
			fmt.Sprintf("\n      id: 192.0.2.%d", i+1), neighbors.String()))
	}
	return all.String()
}

// bfdProfile notices within 1.5 seconds that packets stop, as do the lab's
// routers: on a busy machine FRR's 0.9 is too little.
const bfdProfile = `
    bfdProfiles:
    - {name: watched, receiveInterval: 300, transmitInterval: 300, detectMultiplier: 5}`

// template is an FRRConfiguration for advertisements to refer to; setting is one
// more of its router.
func template(name, nodeSelector, profiles, setting, neighbors string) string {
	return fmt.Sprintf(`
---
apiVersion: frrk8s.metallb.io/v1beta1
kind: FRRConfiguration
metadata:
  name: %s
  namespace: %s
  labels: {use-for-advertisements: fabric}
spec:
  nodeSelector: %s
  bgp:%s
    routers:
    - asn: %d%s
      neighbors:%s
`, name, frrk8s.Namespace, nodeSelector, profiles, lab.NodeASN, setting, neighbors)
}

// Selectors of RouteAdvertisements.
const defaultNetwork = "{networkSelectionType: DefaultNetwork}"

// networksLabelled selects ClusterUserDefinedNetworks by a label.
func networksLabelled(key, value string) string {
	return fmt.Sprintf("{networkSelectionType: ClusterUserDefinedNetworks, clusterUserDefinedNetworkSelector: "+
		"{networkSelector: {matchLabels: {%s: %s}}}}", key, value)
}

// networksNamed selects ClusterUserDefinedNetworks by name.
func networksNamed(names ...string) string {
	return fmt.Sprintf("{networkSelectionType: ClusterUserDefinedNetworks, clusterUserDefinedNetworkSelector: "+
		"{networkSelector: {matchExpressions: [{key: network, operator: In, values: [%s]}]}}}", strings.Join(names, ", "))
}

// advertisement advertises networks' pods to the neighbors of the template that
// peering makes.
func advertisement(name string, networks ...string) string {
	return fmt.Sprintf(`
apiVersion: k8s.ovn.org/v1
kind: RouteAdvertisements
metadata: {name: %s}
spec:
  advertisements: [PodNetwork]
  nodeSelector: {}
  frrConfigurationSelector: {matchLabels: {use-for-advertisements: fabric}}
  networkSelectors: [%s]
`, name, strings.Join(networks, ", "))
}

// startServer puts a server behind a router and removes it after the spec. Its
// subnets are not announced yet.
func startServer(ctx context.Context, r *lab.Router, name string, subnets ...netip.Prefix) *lab.Server {
	GinkgoHelper()
	s, err := r.AddServer(ctx, name, subnets...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(s.Close)
	return s
}

// announce has a router announce prefixes until the end of the spec.
func announce(ctx context.Context, r *lab.Router, prefixes ...netip.Prefix) {
	GinkgoHelper()
	Expect(r.Announce(ctx, prefixes...)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(r.Withdraw(ctx, prefixes...)).To(Succeed()) })
}

// startPod starts a pod that answers probes, and deletes it after the spec.
func startPod(ctx context.Context, l *lab.Lab, spec cni.PodSpec) *cni.Pod {
	GinkgoHelper()
	pod, err := l.CNI.AddPod(ctx, spec)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func(ctx context.Context) { Expect(l.CNI.DeletePod(ctx, pod)).To(Succeed()) })
	answers, err := probe.Serve(pod.Machine)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(answers.Close)
	return pod
}

// expectSeenAs waits until a connection arrives, and from this address.
func expectSeenAs(ctx context.Context, from *machine.Machine, to, seen netip.Addr) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) (netip.Addr, error) { return probe.Ask(ctx, from, to) }).
		Should(Equal(seen), "from %s to %s", from.Name, to)
}

// nodeSubnet is a node's part of the default network.
func nodeSubnet(l *lab.Lab, node string, ipv4 bool) netip.Prefix {
	GinkgoHelper()
	return nodeSubnetOf(l, cni.Default, node, ipv4)
}

// nodeSubnetOf is a node's part of a network, as its annotation has it.
func nodeSubnetOf(l *lab.Lab, network, node string, ipv4 bool) netip.Prefix {
	GinkgoHelper()
	annotations, err := l.CNI.NodeAnnotations(node)
	Expect(err).NotTo(HaveOccurred())
	var subnets map[string][]netip.Prefix
	Expect(json.Unmarshal([]byte(annotations["k8s.ovn.org/node-subnets"]), &subnets)).To(Succeed())
	for _, subnet := range subnets[network] {
		if subnet.Addr().Is4() == ipv4 {
			return subnet
		}
	}
	Fail(fmt.Sprintf("%s has no %s subnet of network %s", node, familyName(ipv4), network))
	return netip.Prefix{}
}

// familyName is for texts.
func familyName(ipv4 bool) string {
	if ipv4 {
		return "IPv4"
	}
	return "IPv6"
}

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// within are those of the prefixes that are of the lab's families.
func within(l *lab.Lab, prefixes []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range prefixes {
		if p.Addr().Is4() && l.IPv4 || p.Addr().Is6() && l.IPv6 {
			out = append(out, p)
		}
	}
	return out
}
