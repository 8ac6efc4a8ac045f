package cni

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// createGatewayRouter makes the node's gateway router of a network, with all
// that leads to it and from it.
func (z *zone) createGatewayRouter(s *script, n *Network, node *Node) {
	router := n.gatewayRouter(node.Name)
	options := map[string]string{
		"chassis": ChassisID(node.Name), "always_learn_from_arp_request": "false", "dynamic_neigh_routers": "false",
		"lb_force_snat_ip": "router_ip", "mac_binding_age_threshold": "300",
	}
	var physical []string
	for _, address := range node.Addresses {
		physical = append(physical, address.Addr().String())
	}
	ids := with(map[string]string{"physical_ip": physical[0], "physical_ips": strings.Join(physical, ",")}, n.identityWithRole())
	if n.isDefault() {
		options["snat-ct-zone"] = "0"
	} else {
		options["disable_garp_rarp"] = "true"
	}
	s.add("lr-add", router)
	s.set("logical_router", router, columns{"options": options, "external_ids": ids})

	n.addGatewayLink(s, node, router)
	n.addExternalSwitch(s, node, router)
	n.addGatewayRoutes(s, node, router)
	z.addWaysOut(s, n, node)
	z.addSNAT(s, n, node)
}

// gatewayJoin are the addresses of the node's gateway router in the join
// subnet.
func (n *Network) gatewayJoin(node *Node) []netip.Prefix { return nths(n.joinSubnets(), node.ID) }

// addGatewayLink joins the gateway router with the cluster router.
func (n *Network) addGatewayLink(s *script, node *Node, router string) {
	join := n.gatewayJoin(node)
	if n.Topology == Layer3 {
		n.link(s, router, "rtoj-"+router, macOfAll(join), join, n.joinSwitch(), "jtor-"+router)
		return
	}
	_, gateway := pair(node.ID, n.Subnets)
	port := "rtotr-" + router
	s.add(append([]string{"lrp-add", router, port, macOfAll(join)}, text(slices.Concat(join, gateway))...)...)
	s.set("logical_router_port", port, columns{"peer": "trtor-" + router, "external_ids": n.identity()})
	s.set("logical_router_port", "trtor-"+router, columns{"peer": port})
}

// addExternalSwitch joins the gateway router with the node's bridge. It has
// the node's own MAC and addresses there.
func (n *Network) addExternalSwitch(s *script, node *Node, router string) {
	external, port := n.externalSwitch(node.Name), n.localnetPort(node.Name)
	addresses := slices.Clone(node.Addresses)
	if !n.isDefault() {
		addresses = append(addresses, n.gatewayRouterMasquerade()...)
	}
	n.addSwitch(s, external, n.identityWithRole())
	n.link(s, router, "rtoe-"+router, node.MAC, addresses, external, "etor-"+router)
	s.set("logical_switch_port", "etor-"+router, columns{"addresses": []string{node.MAC}})
	if n.isDefault() {
		s.set("logical_router_port", "rtoe-"+router, columns{"external_ids": map[string]string{"gateway-physical-ip": "yes"}})
		s.set("logical_switch_port", "etor-"+router, columns{
			"options": map[string]string{"nat-addresses": "router", "exclude-lb-vips-from-garp": "true"},
		})
	}
	s.add("lsp-add", external, port)
	s.set("logical_switch_port", port, columns{
		"type": "localnet", "addresses": []string{"unknown"}, "options": map[string]string{"network_name": physicalNetwork},
	})
	if ids := n.identity(); ids != nil {
		s.set("logical_switch_port", port, columns{"external_ids": ids})
	}
}

// addGatewayRoutes lead from the gateway router to the pods, to the node itself
// (the masquerade subnet) and to the world.
func (n *Network) addGatewayRoutes(s *script, node *Node, router string) {
	out := "rtoe-" + router
	switch {
	case n.Topology == Layer2:
		transit, _ := pair(node.ID, n.Subnets)
		for _, subnet := range n.Subnets {
			n.route(s, router, subnet.String(), ofFamily(transit, subnet).Addr(), columns{"output_port": "rtotr-" + router})
		}
	default:
		// Without an overlay, other nodes' pods are out in the world.
		subnets, join := n.Subnets, nths(n.joinSubnets(), 1)
		if n.NoOverlay {
			subnets = n.HostSubnets(node)
		}
		for _, subnet := range subnets {
			n.route(s, router, subnet.String(), ofFamily(join, subnet).Addr(), nil)
		}
	}
	for _, subnet := range sameFamilies(masqueradeSubnets, n.Subnets) {
		dummy := nth(subnet, dummyNextHop).Addr()
		rest := columns{"output_port": out}
		if n.isDefault() {
			rest["external_ids"] = map[string]string{"ovn-node-masq-cidr": ""}
		}
		n.route(s, router, subnet.String(), dummy, rest)
		s.add("static-mac-binding-add", out, dummy.String(), macOf(dummy))
	}
	for _, nextHop := range node.NextHops {
		everywhere := netip.PrefixFrom(nextHop, 0).Masked()
		if len(sameFamilies([]netip.Prefix{everywhere}, n.Subnets)) > 0 {
			n.route(s, router, everywhere.String(), nextHop, columns{"output_port": out})
		}
	}
}

// addWaysOut has the cluster router send what the node's pods send into the
// world to the node's gateway router, or to the node's kernel.
func (z *zone) addWaysOut(s *script, n *Network, node *Node) {
	router, subnets := n.clusterRouter(), n.HostSubnets(node)
	gateways := n.gatewayJoin(node)
	if n.Topology == Layer2 {
		_, gateways = pair(node.ID, n.Subnets)
	} else {
		for _, join := range n.gatewayJoin(node) {
			n.route(s, router, join.Addr().String(), join.Addr(), nil)
		}
	}
	if z.localGateway {
		gateways = nths(subnets, 2)
	}
	for _, subnet := range subnets {
		n.route(s, router, subnet.String(), ofFamily(gateways, subnet).Addr(), columns{"policy": "src-ip"})
	}
	// Pods reach their own node through its management port: the gateway
	// router has the node's addresses, so that it would take the packets.
	for _, address := range node.Addresses {
		management := ofFamily(nths(subnets, 2), address)
		if !management.IsValid() {
			continue
		}
		match := fmt.Sprintf("inport == %q && %s", n.routerToPods(node.Name), destination(address.Addr()))
		s.add("lr-policy-add", router, "1004", match, "reroute", management.Addr().String())
	}
}

func destination(address netip.Addr) string {
	if address.Is4() {
		return "ip4.dst == " + address.String()
	}
	return "ip6.dst == " + address.String()
}

// external are the addresses that the network's pods leave the gateway router
// with: the node's, or the network's own in the masquerade subnet, which the
// bridge turns into the node's.
func (n *Network) external(node *Node) []netip.Prefix {
	if n.isDefault() {
		return node.Addresses
	}
	return n.gatewayRouterMasquerade()
}

// snat is a row of SNAT.
type snat struct {
	router, logical, external string
	match, exempted           string
}

// snats are the rows of a network for a node. They hide pods behind the gateway
// router's address, or the network's own where pods leave through the kernel;
// from everybody until the network is advertised, and then from nodes only.
func (z *zone) snats(n *Network, node *Node, advertised bool) []snat {
	var out []snat
	router := n.gatewayRouter(node.Name)
	for _, join := range n.gatewayJoin(node) {
		if external := ofFamily(n.external(node), join); external.IsValid() {
			out = append(out, snat{router: router, logical: join.Addr().String(), external: external.Addr().String()})
		}
	}
	for _, subnet := range n.Subnets {
		external := ofFamily(n.external(node), subnet)
		if !external.IsValid() {
			continue
		}
		row := snat{router: router, logical: subnet.String(), external: external.Addr().String()}
		switch {
		case n.sparesOwnPods():
			row.exempted = n.exemptedSet(subnet)
		case advertised:
			row.match = toNodes(subnet)
		}
		out = append(out, row)
	}
	if n.isDefault() {
		return out
	}
	subnets := n.HostSubnets(node)
	for _, subnet := range subnets {
		match := "eth.dst == " + macOfAll(nths(subnets, 2))
		if advertised {
			match += " && (" + toNodes(subnet) + ")"
		}
		out = append(out, snat{
			router: n.clusterRouter(), logical: subnet.String(), match: match,
			external: ofFamily(n.managementMasquerade(), subnet).Addr().String(),
		})
	}
	return out
}

// sparesOwnPods tells whether SNAT applies to all but the network's own pods,
// which are reached without an overlay.
func (n *Network) sparesOwnPods() bool { return n.NoOverlay && n.OutboundSNAT }

// toNodes matches packets to nodes.
func toNodes(like netip.Prefix) string {
	if like.Addr().Is4() {
		return "ip4.dst == $" + nodeSetOf(like)
	}
	return "ip6.dst == $" + nodeSetOf(like)
}

func (z *zone) addSNAT(s *script, n *Network, node *Node) {
	for _, row := range z.snats(n, node, false) {
		values := columns{"type": "snat", "logical_ip": row.logical, "external_ip": row.external, "match": row.match}
		if row.exempted != "" {
			values["exempted_ext_ips"] = reference("@" + row.exempted)
		}
		if row.router == n.clusterRouter() {
			values["logical_port"] = n.routerToPods(node.Name)
		}
		if ids := n.identity(); ids != nil {
			values["external_ids"] = ids
		}
		s.child("nat", values, "logical_router", row.router, "nat")
	}
}
