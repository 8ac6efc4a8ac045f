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
	for _, address := range n.physical(node) {
		physical = append(physical, address.Addr().String())
	}
	ids := with(map[string]string{"physical_ip": physical[0], "physical_ips": strings.Join(physical, ",")}, n.identityWithRole())
	if n.Topology == Layer2 {
		options["lb_force_snat_ip"] = spaced(addressesOf(n.gatewayJoin(node)))
	}
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
func (n *Network) gatewayJoin(node *Node) []netip.Prefix { return nths(n.joinSubnets(node), node.ID) }

// physical are the addresses of the node's gateway router on the bridge: the
// node's, and of a user's network its own in the masquerade subnet.
func (n *Network) physical(node *Node) []netip.Prefix {
	if n.isDefault() {
		return node.Addresses
	}
	return slices.Concat(node.Addresses, n.gatewayRouterMasquerade(node))
}

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
	n.addSwitch(s, external, n.identityWithRole())
	n.link(s, router, "rtoe-"+router, node.MAC, n.physical(node), external, "etor-"+router)
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
		subnets, join := n.Subnets, nths(n.joinSubnets(node), 1)
		if !n.geneve() {
			subnets = n.HostSubnets(node)
		}
		for _, subnet := range subnets {
			n.route(s, router, subnet.String(), ofFamily(join, subnet).Addr(), nil)
		}
	}
	for _, subnet := range sameFamilies(masqueradeSubnets, node.Addresses) {
		dummy := nth(subnet, dummyNextHop).Addr()
		rest := columns{"output_port": out}
		if n.isDefault() {
			rest["external_ids"] = map[string]string{"k8s.ovn.org/node-masquerade-subnet": ""}
		}
		n.route(s, router, subnet.String(), dummy, rest)
		s.add("static-mac-binding-add", out, dummy.String(), macOf(dummy))
	}
	for _, nextHop := range node.NextHops {
		n.route(s, router, netip.PrefixFrom(nextHop, 0).Masked().String(), nextHop, columns{"output_port": out})
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
