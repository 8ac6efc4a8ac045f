package snapshot

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Surroundings reads what a Node says of itself besides its networks. A malformed
// annotation counts as missing: each of them adds its own part to what the node's
// agent leaves alone, and none may stop the others.
func (r *NodeReader) Surroundings(n *corev1.Node) *model.Surroundings {
	out := &model.Surroundings{
		UID:        string(n.UID),
		Masquerade: subnetsOf(n.Annotations[ovnk.AnnotationMasqueradeSubnet]),
		Transit:    subnetsOf(n.Annotations[ovnk.AnnotationTransitAddress]),
		Uplinks:    r.uplinks.links(n.Name),
	}
	if list, err := ovnk.ParseHostCIDRs(n.Annotations[ovnk.AnnotationHostCIDRs]); err == nil {
		out.Addresses = append(out.Addresses, list...)
	}
	if list, err := ovnk.ParsePrimaryAddresses(n.Annotations[ovnk.AnnotationPrimaryAddress]); err == nil {
		out.Addresses = append(out.Addresses, list...)
	}
	if value, found := n.Annotations[ovnk.AnnotationGatewayConfig]; found {
		config, err := ovnk.ParseGatewayConfig(value)
		if err != nil {
			out.GatewayProblem = finding.AnnotationMalformed(err).Message
		}
		out.Addresses = append(out.Addresses, config.Addresses...)
		out.Gateway = config.Bridge
	}
	slices.SortFunc(out.Addresses, netip.Prefix.Compare)
	out.Addresses = slices.Compact(out.Addresses)
	if value, found := n.Annotations[ovnk.AnnotationNetworkIDs]; found {
		if ids, err := ovnk.ParseNetworkIDs(value); err == nil {
			out.NetworkIDs = ids
		}
	}
	return out
}

func subnetsOf(annotation string) []netip.Prefix {
	list, err := ovnk.ParsePrimaryAddresses(annotation)
	if err != nil {
		return nil
	}
	for i, p := range list {
		list[i] = p.Masked()
	}
	return list
}

// links are the bridges of the uplinks on a node, as far as they are resolved.
func (u *uplinks) links(node string) map[string]string {
	if len(u.names) == 0 {
		return nil
	}
	out := make(map[string]string, len(u.names))
	for uplink := range u.names {
		state := u.states[uplinkOnNode{uplink, node}]
		if state == nil {
			continue
		}
		if resolved, _ := uplinkResolved(state); !resolved {
			continue
		}
		if bridge, _, _ := unstructured.NestedString(state.Object, "status", "ovsBridge", "name"); bridge != "" {
			out[uplink] = bridge
		}
	}
	return out
}
