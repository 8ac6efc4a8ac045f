package snapshot

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// NodeReader reads nodes. It holds what their reading has in common and is
// safe for concurrent use.
type NodeReader struct {
	names   map[string]string
	uplinks uplinks
	states  routeStates
	raw     model.RawState
	// allocated are the addresses that the operator gave to nodes, by node. They are nil
	// for callers that look at them themselves.
	allocated map[string]map[string][]netip.Addr
}

// NewNodeReader returns a reader for nodes beside these objects; it does not
// look at objs.Nodes. Whether a node has to wait with raw text, only its FRR can tell.
func NewNodeReader(objs *Objects, settings model.Settings) *NodeReader {
	r := &NodeReader{names: make(map[string]string, len(objs.CUDNs)+1), uplinks: newUplinks(objs)}
	r.allocated = allocations(objs.NodeNetworks)
	if settings.FRRRaw {
		r.raw.Permission = model.RawOn
	}
	r.states.all, r.states.read = objs.RouteStates, objs.Read
	r.names[model.DefaultNetwork] = model.DefaultNetwork
	for i := range objs.CUDNs {
		name := ovnk.NetworkName(objs.CUDNs[i].Name)
		r.names[name] = name
	}
	return r
}

// intern returns one string per network for all nodes: a part of the
// annotation would keep ten kilobytes alive for each node.
func (r *NodeReader) intern(network string) string {
	if name, known := r.names[network]; known {
		return name
	}
	return network
}

// Node reads a node. Messages don't name it: the planner groups nodes with the
// same trouble by message.
func (r *NodeReader) Node(n *corev1.Node) model.Node {
	report := r.states.of(n.Name)
	out := model.Node{NodeSummary: Host(n), Layer2: report.Layer2, EVPN: report.EVPN, Raw: r.raw}
	out.Subnets, out.SubnetsProblem = r.subnets(n)
	if out.SubnetsProblem == nil && len(out.Subnets[model.DefaultNetwork]) == 0 {
		out.DefaultSubnetProblem = finding.DefaultSubnetMissing(ovnk.AnnotationNodeSubnets)
	}
	if value, found := n.Annotations[ovnk.AnnotationLayer2TunnelIDs]; found && ovnk.TellsLayer2Networks(n.Annotations[ovnk.AnnotationLayer2Version]) {
		active, err := ovnk.ParseLayer2Networks(value, r.intern)
		if err != nil {
			out.Problem = finding.AnnotationMalformed(err)
		}
		out.Layer2Active = active
	}
	if value, found := n.Annotations[ovnk.AnnotationPrimaryAddress]; found {
		// Host did without the annotation, and nothing else would report it.
		if _, err := ovnk.ParsePrimaryAddresses(value); err != nil {
			out.Problem = finding.AnnotationMalformed(err)
		}
	}
	out.VTEPs, out.VTEPsProblem = nodeVTEPs(n)
	out.Allocated = r.allocated[n.Name]
	r.gateway(n, &out)
	return out
}

func (r *NodeReader) subnets(n *corev1.Node) (map[string][]netip.Prefix, *model.Problem) {
	value, found := n.Annotations[ovnk.AnnotationNodeSubnets]
	if !found {
		return nil, finding.SubnetsMissing(ovnk.AnnotationNodeSubnets)
	}
	subnets, err := ovnk.ParseNodeSubnets(value, r.intern)
	if err != nil {
		return nil, finding.AnnotationMalformed(err)
	}
	return subnets, nil
}

// gateway reads where neighbors have to send traffic to on DPU hosts. Only the
// shared gateway mode has a gateway router with addresses of its own there.
func (r *NodeReader) gateway(n *corev1.Node, out *model.Node) {
	if _, labelled := n.Labels[ovnk.LabelDPUHost]; !labelled {
		return
	}
	value, found := n.Annotations[ovnk.AnnotationGatewayConfig]
	var config ovnk.GatewayConfig
	var err error
	if found {
		config, err = ovnk.ParseGatewayConfig(value)
	}
	if found && err == nil && config.Mode != ovnk.GatewayModeShared {
		return
	}
	out.DPUHost = true
	r.uplinks.read(n.Name, out)
	switch {
	case !found:
		out.NextHopsProblem = finding.GatewayMissing(ovnk.AnnotationGatewayConfig)
	case err != nil:
		out.NextHopsProblem = finding.AnnotationMalformed(err)
	default:
		out.NextHops, out.NextHopsProblem = nextHops(n, config)
	}
}

func nextHops(n *corev1.Node, config ovnk.GatewayConfig) ([]netip.Addr, *model.Problem) {
	chassis, found := n.Annotations[ovnk.AnnotationChassisID]
	if !found {
		return nil, finding.ChassisMissing(ovnk.AnnotationChassisID)
	}
	if _, err := ovnk.ParseChassisID(chassis); err != nil {
		return nil, finding.AnnotationMalformed(err)
	}
	hops := firstOfEachFamily(config.Addresses)
	if len(hops) == 0 {
		return nil, finding.GatewayWithoutAddress(ovnk.AnnotationGatewayConfig)
	}
	return hops, nil
}

// Host is the light view of a node.
func Host(n *corev1.Node) model.NodeSummary {
	return model.NodeSummary{Name: n.Name, Hostname: n.Labels[model.LabelHostname], Labels: n.Labels, Addresses: addresses(n), Maintenance: maintenance(n)}
}

// addresses returns the node's primary addresses from the first source that has
// any: OVN-Kubernetes' own choice, all of the host's addresses, and what the
// kubelet says.
func addresses(n *corev1.Node) []netip.Addr {
	if value, found := n.Annotations[ovnk.AnnotationPrimaryAddress]; found {
		if primary, err := ovnk.ParsePrimaryAddresses(value); err == nil && len(primary) > 0 {
			return firstOfEachFamily(primary)
		}
	}
	if value, found := n.Annotations[ovnk.AnnotationHostCIDRs]; found {
		if all, err := ovnk.ParseHostCIDRs(value); err == nil {
			if out := firstOfEachFamily(all); len(out) > 0 {
				return out
			}
		}
	}
	var internal []netip.Prefix
	for i := range n.Status.Addresses {
		a := &n.Status.Addresses[i]
		if a.Type != corev1.NodeInternalIP {
			continue
		}
		if address, err := netip.ParseAddr(a.Address); err == nil {
			address = address.Unmap()
			internal = append(internal, netip.PrefixFrom(address, address.BitLen()))
		}
	}
	return firstOfEachFamily(internal)
}

// firstOfEachFamily returns at most two addresses, IPv4 first. Link-local ones
// mean nothing to other hosts.
func firstOfEachFamily(prefixes []netip.Prefix) []netip.Addr {
	var v4, v6 netip.Addr
	for _, p := range prefixes {
		switch a := p.Addr(); {
		case a.IsLinkLocalUnicast():
		case a.Is4() && !v4.IsValid():
			v4 = a
		case a.Is6() && !v6.IsValid():
			v6 = a
		}
	}
	switch {
	case v4.IsValid() && v6.IsValid():
		return []netip.Addr{v4, v6}
	case v4.IsValid():
		return []netip.Addr{v4}
	case v6.IsValid():
		return []netip.Addr{v6}
	default:
		return nil
	}
}
