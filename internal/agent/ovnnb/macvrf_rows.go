package ovnnb

import (
	"bytes"
	"fmt"
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
	// optionChassis names the chassis that a port is to be on, and after a comma those that it
	// is to move to (ovn-nb(5)), which are not where it is.
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

// zoneRow is NB_Global. OVN-Kubernetes names it after the zone, which is the node where
// each node has a database of its own.
type zoneRow struct {
	UUID string `ovsdb:"_uuid"`
	Name string `ovsdb:"name"`
}

// macVRFRows are what a session has read.
type macVRFRows struct {
	zone     string
	switches map[string]*switchRow
	ports    []*switchPortRow
	// byName and ofNetwork have the same ports: each network is looked at for itself.
	byName    map[string]*switchPortRow
	ofNetwork map[string][]*switchPortRow
	// acls are by our mark of the network, and groups by OVN-Kubernetes' owner.
	acls   map[string][]*aclRow
	groups map[string]*portGroupRow
}

// ours reports whether the agent of a node made a row.
func ours(ids map[string]string, node string) bool {
	return ids[markOwner] == ownerAgent && ids[markNode] == node
}

func newMACVRFRows() *macVRFRows {
	return &macVRFRows{
		switches: map[string]*switchRow{}, byName: map[string]*switchPortRow{}, ofNetwork: map[string][]*switchPortRow{},
		acls: map[string][]*aclRow{}, groups: map[string]*portGroupRow{},
	}
}

func (r *macVRFRows) addPort(port *switchPortRow) {
	r.ports = append(r.ports, port)
	r.byName[port.Name] = port
	if network := port.ExternalIDs[idNetwork]; network != "" {
		r.ofNetwork[network] = append(r.ofNetwork[network], port)
	}
}

// hostsOf are the pods of a network that are on the chassis. Of those that may as well be
// elsewhere the problem tells, and they are left out.
func (r *macVRFRows) hostsOf(m *MACVRF, node string, chassis map[string]bool) (hosts []Host, problem string) {
	byMAC := map[string][]netip.Addr{}
	var nowhere []string
	for _, port := range r.ofNetwork[m.Network] {
		switch first, _, _ := strings.Cut(port.Options[optionChassis], ","); {
		case !port.attached():
			continue
		case first == "" && r.zone != node:
			nowhere = append(nowhere, port.Name)
			continue
		case first != "" && !chassis[first]:
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
	if len(nowhere) > 0 {
		problem = fmt.Sprintf("%d of the network's logical ports, such as %s, name no chassis (options:%s), and OVN's Northbound database, of zone %q, is not this node's own: the pods' nodes are not known and their addresses are not told; start OVN-Kubernetes without --disable-requestedchassis, or with a zone for each node",
			len(nowhere), slices.Min(nowhere), optionChassis, r.zone)
	}
	return out, problem
}

// attached reports whether the port is a pod's that runs. One that is not enabled is of a
// virtual machine that is still to arrive by live migration, or has left.
func (r *switchPortRow) attached() bool {
	return r.Type == "" && r.ExternalIDs[idPod] == "true" && (r.Enabled == nil || *r.Enabled)
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
