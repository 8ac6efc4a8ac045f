package ovnnb

import (
	"bytes"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// The tables with what a MAC-VRF has in OVN.
const (
	tableSwitch     = "Logical_Switch"
	tableSwitchPort = "Logical_Switch_Port"
	tableACL        = "ACL"
	tablePortGroup  = "Port_Group"
)

// What OVN-Kubernetes writes into external_ids (go-controller/pkg/types and
// pkg/libovsdb/ops).
const (
	idNetwork  = "k8s.ovn.org/network"
	idTopology = "k8s.ovn.org/topology"
	idName     = "k8s.ovn.org/name"
	idOwner    = "k8s.ovn.org/owner-controller"
	idPod      = "pod"
	// routerGroup is the port group whose members may receive multicast of the network.
	routerGroup = "clusterRtrPortGroup"
	// optionChassis names the chassis that a port is to be on, and after a comma others.
	optionChassis = "requested-chassis"
)

// switchRow is a Logical_Switch. Its ports are not among the columns: to apply one change
// to a set costs as much as the set is large.
type switchRow struct {
	UUID   string            `ovsdb:"_uuid"`
	Name   string            `ovsdb:"name"`
	Config map[string]string `ovsdb:"other_config"`
}

// switchPortRow is a Logical_Switch_Port.
type switchPortRow struct {
	UUID        string            `ovsdb:"_uuid"`
	Name        string            `ovsdb:"name"`
	Type        string            `ovsdb:"type"`
	Addresses   []string          `ovsdb:"addresses"`
	Enabled     *bool             `ovsdb:"enabled"`
	Options     map[string]string `ovsdb:"options"`
	ExternalIDs map[string]string `ovsdb:"external_ids"`
}

// aclRow is an ACL of ours.
type aclRow struct {
	UUID        string            `ovsdb:"_uuid"`
	Direction   string            `ovsdb:"direction"`
	Priority    int               `ovsdb:"priority"`
	Match       string            `ovsdb:"match"`
	Action      string            `ovsdb:"action"`
	ExternalIDs map[string]string `ovsdb:"external_ids"`
}

// portGroupRow is a Port_Group.
type portGroupRow struct {
	UUID        string            `ovsdb:"_uuid"`
	Name        string            `ovsdb:"name"`
	Ports       []string          `ovsdb:"ports"`
	ExternalIDs map[string]string `ovsdb:"external_ids"`
}

// macVRFRows are what a session has read.
type macVRFRows struct {
	switches map[string]*switchRow
	ports    []*switchPortRow
	acls     []*aclRow
	groups   []*portGroupRow
}

// ours reports whether the agent of a node made a row.
func ours(ids map[string]string, node string) bool {
	return ids[markOwner] == ownerAgent && ids[markNode] == node
}

// hostsOf are the pods of a network that are on the chassis. A port that is not enabled is
// of a virtual machine that is still to arrive by live migration, or has left.
func (r *macVRFRows) hostsOf(m *MACVRF, chassis map[string]bool) []Host {
	byMAC := map[string][]netip.Addr{}
	for _, port := range r.ports {
		if port.ExternalIDs[idNetwork] != m.Network || !port.onChassis(chassis) {
			continue
		}
		for _, text := range port.Addresses {
			if mac, addresses, ok := parseAddresses(text, m.Gateways); ok {
				byMAC[mac] = append(byMAC[mac], addresses...)
			}
		}
	}
	out := make([]Host, 0, len(byMAC))
	for _, mac := range slices.Sorted(maps.Keys(byMAC)) {
		slices.SortFunc(byMAC[mac], netip.Addr.Compare)
		out = append(out, Host{MAC: mac, Addresses: slices.Compact(byMAC[mac])})
	}
	return out
}

// onChassis reports whether the port is a pod's, and there. In a database of one node all
// of them are; a port without a chassis can be nowhere else.
func (r *switchPortRow) onChassis(chassis map[string]bool) bool {
	if r.Type != "" || r.ExternalIDs[idPod] != "true" || r.Enabled != nil && !*r.Enabled {
		return false
	}
	first, _, _ := strings.Cut(r.Options[optionChassis], ",")
	return first == "" || chassis[first]
}

// parseAddresses reads "MAC IP…". Addresses that no single host can have are left out, and
// the gateway's: a pod that claims it would have the fabric send all there.
func parseAddresses(text string, gateways []netip.Addr) (mac string, addresses []netip.Addr, ok bool) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return "", nil, false
	}
	hardware, err := net.ParseMAC(fields[0])
	if err != nil || len(hardware) != 6 || hardware[0]&1 != 0 || bytes.Equal(hardware, make([]byte, 6)) {
		return "", nil, false // "unknown", "dynamic" and "router" are none, either.
	}
	for _, field := range fields[1:] {
		address, err := netip.ParseAddr(field)
		address = address.Unmap()
		if err != nil || address.Zone() != "" || address.IsUnspecified() || address.IsMulticast() || address.IsLoopback() || slices.Contains(gateways, address) {
			continue
		}
		addresses = append(addresses, address)
	}
	return hardware.String(), addresses, true
}
