package cni

import (
	"context"
	"net/netip"
	"slices"
	"strings"
)

// Keys by which OVN-Kubernetes finds its own objects.
const (
	nameKey    = prefixOf + "name"
	familyKey  = "ip-family"
	networkKey = "network"
	// everybodysController writes what belongs to no network.
	everybodysController = "default-network-controller"
)

// objectIDs are the external_ids of an object: its owner, what it is about as
// keys and values, and all of it in one.
func objectIDs(controller, ownerType string, about ...string) map[string]string {
	ids := map[string]string{prefixOf + "owner-controller": controller, prefixOf + "owner-type": ownerType}
	whole := controller + ":" + ownerType
	for i := 0; i < len(about); i += 2 {
		ids[about[i]] = about[i+1]
		whole += ":" + about[i+1]
	}
	ids[prefixOf+"id"] = whole
	return ids
}

// controller is who writes a network's objects.
func (n *Network) controller() string { return n.Name + "-network-controller" }

// addressSet is an address set of one family, which is named after its
// identifiers.
type addressSet struct{ ids map[string]string }

func (a *addressSet) name() string { return hashed(a.ids[prefixOf+"id"]) }

// family and protocolOf are the two ways in which OVN-Kubernetes calls it.
func family(like netip.Prefix) string {
	if like.Addr().Is4() {
		return "v4"
	}
	return "v6"
}

func protocolOf(like netip.Prefix) string {
	if like.Addr().Is4() {
		return "ip4"
	}
	return "ip6"
}

// nodeSet holds all nodes' addresses. It is there only where somebody uses it:
// an advertised network or an egress IP.
func nodeSet(like netip.Prefix) *addressSet {
	return &addressSet{objectIDs(everybodysController, "ClusterNodeIPs", nameKey, "node-ips", familyKey, family(like))}
}

// serviceSet holds the services of the default network that pods of all
// networks may use. This cluster has none.
func serviceSet(like netip.Prefix) *addressSet {
	return &addressSet{objectIDs("udn-enabled-svc", "UDNEnabledService", nameKey, "udn-enabled-svc-cluster-ips", familyKey, family(like))}
}

// exemptedSet holds the network's subnets and the node's addresses: what goes
// to them has no SNAT.
func (n *Network) exemptedSet(like netip.Prefix) *addressSet {
	return &addressSet{objectIDs(n.controller(), "Cluster", nameKey, "no-overlay-snat-exemption", familyKey, family(like), networkKey, n.Name)}
}

// addSet inserts a set, which the rest of the transaction can refer to.
func (s *script) addSet(set *addressSet, addresses []string) {
	s.bind(set)
	values := columns{"name": set.name(), "addresses": addresses, "external_ids": set.ids}
	s.add(append([]string{"--id=@" + set.name(), "create", "address_set"}, assignments(values)...)...)
}

// refer is a set that is there already, or that the script inserts.
func (s *script) refer(set *addressSet) reference {
	if s.bind(set) {
		s.add("--id=@"+set.name(), "get", "address_set", set.name())
	}
	return reference("@" + set.name())
}

// bind tells whether the script does not know the set yet.
func (s *script) bind(set *addressSet) bool {
	if slices.Contains(s.sets, set.name()) {
		return false
	}
	s.sets = append(s.sets, set.name())
	return true
}

func (z *zone) addExemptedSets(s *script, n *Network) {
	for _, like := range z.families() {
		var addresses []string
		if subnet := ofFamily(n.Subnets, like); subnet.IsValid() {
			addresses = append(addresses, subnet.String())
		}
		s.addSet(n.exemptedSet(like), append(addresses, hostsOf(z.local, like)...))
	}
}

// hostsOf are nodes' addresses of a family.
func hostsOf(nodes []*Node, like netip.Prefix) []string {
	var out []string
	for _, node := range nodes {
		for _, address := range sameFamilies(node.Addresses, []netip.Prefix{like}) {
			out = append(out, address.Addr().String())
		}
	}
	return out
}

// start is what a zone's Northbound database has before there are networks.
func (z *zone) start() *script {
	s := &script{}
	for _, like := range z.families() {
		s.addSet(serviceSet(like), []string{})
	}
	return s
}

// ensureNodeSets makes the sets of nodes' addresses if they are not there.
func (z *clusterZone) ensureNodeSets(ctx context.Context) error {
	s := &script{}
	for _, like := range z.families() {
		found, err := z.central.NB(ctx, "--bare", "--columns=name", "find", "address_set", "name="+nodeSet(like).name())
		if err != nil {
			return err
		}
		if strings.TrimSpace(found) == "" {
			s.addSet(nodeSet(like), hostsOf(slices.Concat(z.local, z.remote), like))
		}
	}
	if len(s.commands) == 0 {
		return nil
	}
	_, err := z.central.NB(ctx, s.arguments()...)
	return err
}
