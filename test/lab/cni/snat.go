package cni

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// sourcePorts are those that OVN-Kubernetes leaves to SNAT: the kernel's own
// ephemeral ones.
const sourcePorts = "32768-60999"

// snat is a row of SNAT.
type snat struct {
	router, logical, external string
	match                     string
	// allowed and exempted are the sets of destinations that it applies to, or
	// not.
	allowed, exempted *addressSet
	ids               map[string]string
}

// external are the addresses that the network's pods leave the gateway router
// with: the node's, or the network's own in the masquerade subnet, which the
// bridge turns into the node's.
func (n *Network) external(node *Node) []netip.Prefix {
	if n.isDefault() {
		return node.Addresses
	}
	return n.gatewayRouterMasquerade(node)
}

// sparesOwnPods tells whether SNAT applies to all but the network's own pods
// and the node, which are reached without an overlay.
func (n *Network) sparesOwnPods() bool { return n.NoOverlay && n.OutboundSNAT }

// snats are the rows of a network for a node.
func (z *zone) snats(n *Network, node *Node, advertised bool) []snat {
	rows := n.gatewaySNATs(node, advertised)
	if n.isDefault() {
		return rows
	}
	return append(rows, z.managementSNATs(n, node, advertised)...)
}

// gatewaySNATs hide pods behind the gateway router's address: from everybody
// until the network is advertised, and then from nodes only.
func (n *Network) gatewaySNATs(node *Node, advertised bool) []snat {
	var out []snat
	router := n.gatewayRouter(node.Name)
	for _, join := range n.gatewayJoin(node) {
		external := ofFamily(n.external(node), join)
		out = append(out, snat{router: router, logical: join.Addr().String(), external: external.Addr().String(), ids: n.identity()})
	}
	for _, subnet := range n.Subnets {
		external := ofFamily(n.external(node), subnet)
		if !external.IsValid() {
			continue
		}
		row := snat{router: router, logical: subnet.String(), external: external.Addr().String(), ids: n.identity()}
		switch {
		case n.sparesOwnPods():
			row.exempted = n.exemptedSet(subnet)
			row.ids = with(row.ids, n.exemptingRow(node, subnet))
		case advertised:
			row.match = to(subnet, nodeSet(subnet))
		}
		out = append(out, row)
	}
	return out
}

// exemptingRow identifies a row of SNAT that spares the network's own pods.
func (n *Network) exemptingRow(node *Node, subnet netip.Prefix) map[string]string {
	return objectIDs(n.controller(), "NoOverlayClusterSubnetSNAT", nameKey, node.Name,
		prefixOf+"cidr", strings.ReplaceAll(subnet.String(), ":", "."), familyKey, protocolOf(subnet), networkKey, n.Name)
}

// managementSNATs hide pods of a user's network behind its own address where
// they leave by the node's management port. Of an advertised network that is
// what goes to nodes and to services of the default network: a row for each of
// them, because a row allows one set, or one row that matches both where all
// else leaves there, too.
func (z *zone) managementSNATs(n *Network, node *Node, advertised bool) []snat {
	var out []snat
	subnets := n.HostSubnets(node)
	for _, subnet := range subnets {
		row := snat{
			router: n.clusterRouter(), logical: subnet.String(), ids: n.identity(),
			external: ofFamily(n.managementMasquerade(), subnet).Addr().String(),
		}
		onlyTo := []*addressSet{nodeSet(subnet), serviceSet(subnet)}
		if advertised && !z.localGateway {
			for _, set := range onlyTo {
				row.allowed = set
				out = append(out, row)
			}
			continue
		}
		switch row.match = "eth.dst == " + macOfAll(nths(subnets, 2)); {
		case z.localGateway && n.sparesOwnPods():
			row.match, row.exempted = "", n.exemptedSet(subnet)
		case advertised:
			row.match += " && " + to(subnet, onlyTo...)
		}
		out = append(out, row)
	}
	return out
}

// to matches what goes to an address of one of the sets.
func to(like netip.Prefix, sets ...*addressSet) string {
	matches := make([]string, len(sets))
	for i, set := range sets {
		matches[i] = protocolOf(like) + ".dst == $" + set.name()
	}
	if len(matches) == 1 {
		return matches[0]
	}
	return "(" + strings.Join(matches, " || ") + ")"
}

func (z *zone) addSNAT(s *script, n *Network, node *Node) {
	for _, row := range z.snats(n, node, false) {
		n.addRow(s, node, row)
	}
}

func (n *Network) addRow(s *script, node *Node, row snat) {
	values := row.columns(s)
	values["type"], values["logical_ip"], values["external_ip"] = "snat", row.logical, row.external
	values["external_port_range"], values["options"] = sourcePorts, map[string]string{"stateless": "false"}
	if row.router == n.clusterRouter() {
		values["logical_port"] = n.routerToPods(node.Name)
	}
	s.child("nat", values, "logical_router", row.router, "nat")
}

// columns are those that change with what is advertised.
func (row *snat) columns(s *script) columns {
	values := columns{"match": row.match, "allowed_ext_ips": reference("[]"), "exempted_ext_ips": reference("[]")}
	if row.allowed != nil {
		values["allowed_ext_ips"] = s.refer(row.allowed)
	}
	if row.exempted != nil {
		values["exempted_ext_ips"] = s.refer(row.exempted)
	}
	if len(row.ids) > 0 {
		values["external_ids"] = row.ids
	}
	return values
}

// syncSNAT has the network's SNAT apply to what it has to.
func (z *clusterZone) syncSNAT(ctx context.Context, n *clusterNetwork) error {
	advertised := n.advertised != NotAdvertised
	if advertised && !(n.isDefault() && n.sparesOwnPods()) {
		if err := z.ensureNodeSets(ctx); err != nil {
			return err
		}
	}
	s := &script{}
	for _, node := range z.local {
		there, err := z.natRows(ctx, &n.Network, node)
		if err != nil {
			return err
		}
		for _, row := range z.snats(&n.Network, node, advertised) {
			what := translation{row.router, row.logical, row.external}
			if left := there[what]; len(left) > 0 {
				s.set("nat", left[0], row.columns(s))
				there[what] = left[1:]
				continue
			}
			n.addRow(s, node, row)
		}
		for what, left := range there {
			for _, id := range left {
				s.add("remove", "logical_router", what.router, "nat", id)
			}
		}
	}
	_, err := z.central.NB(ctx, s.arguments()...)
	return err
}

// translation is what rows of NAT are found by, as OVN has no names for them.
type translation struct{ router, logical, external string }

// natRows are the rows of a network and node that are there. Rows of others,
// such as those of egress IPs, translate something else.
func (z *clusterZone) natRows(ctx context.Context, n *Network, node *Node) (map[translation][]string, error) {
	all, err := z.central.NB(ctx, "--format=csv", "--data=bare", "--no-headings",
		"--columns=_uuid,logical_ip,external_ip", "find", "nat", "type=snat")
	if err != nil {
		return nil, err
	}
	own := map[translation]bool{}
	for _, row := range z.snats(n, node, false) {
		own[translation{row.router, row.logical, row.external}] = true
	}
	out := map[translation][]string{}
	for _, router := range []string{n.gatewayRouter(node.Name), n.clusterRouter()} {
		of, err := z.central.NB(ctx, "get", "logical_router", router, "nat")
		if err != nil {
			return nil, fmt.Errorf("the NAT of %s: %w", router, err)
		}
		for _, line := range strings.Fields(all) {
			fields := strings.Split(line, ",")
			if len(fields) != 3 || !strings.Contains(of, fields[0]) {
				continue
			}
			if what := (translation{router, fields[1], fields[2]}); own[what] {
				out[what] = append(out[what], fields[0])
			}
		}
	}
	return out, nil
}
