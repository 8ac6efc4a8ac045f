package cni

import (
	"net/netip"
	"strings"
)

// nodeSet is the name, to people, of the address sets that hold all nodes'
// addresses, one per family.
const nodeSet = "node-ips"

func family(like netip.Prefix) string {
	if like.Addr().Is4() {
		return "v4"
	}
	return "v6"
}

// nodeSetOf is the name, to OVN, of the set of a family.
func nodeSetOf(like netip.Prefix) string { return hashed(nodeSet + "_" + family(like)) }

// exemptedSet holds a network's subnets of a family: between its pods there is
// no SNAT.
func (n *Network) exemptedSet(like netip.Prefix) string {
	return hashed(n.Name + "_no-overlay-snat-exemption_" + family(like))
}

// addAddressSet inserts a set, which the rest of the transaction can refer to.
func addAddressSet(s *script, name, known string, like netip.Prefix, addresses []string) {
	s.add("--id=@"+name, "create", "address_set", "name="+name, "addresses="+quotedList(addresses),
		`external_ids:"k8s.ovn.org/name"=`+known, "external_ids:ip-family="+family(like),
		`external_ids:"k8s.ovn.org/owner-controller"=default-network-controller`)
}

func quotedList(words []string) string { return `["` + strings.Join(words, `","`) + `"]` }

// start is what a zone's Northbound database has before there are networks.
func (z *zone) start(nodes []*Node) *script {
	s := &script{}
	for _, like := range masqueradeSubnets {
		var addresses []string
		for _, node := range nodes {
			if address := ofFamily(node.Addresses, like); address.IsValid() {
				addresses = append(addresses, address.Addr().String())
			}
		}
		if len(addresses) > 0 {
			addAddressSet(s, nodeSetOf(like), nodeSet, like, addresses)
		}
	}
	return s
}
