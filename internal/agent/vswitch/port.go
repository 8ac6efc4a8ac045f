package vswitch

import (
	"cmp"
	"fmt"
	"strings"
)

// Port is an internal port of the integration bridge, which is a network device of the
// same name, too.
type Port struct {
	// Name is the port's, its interface's and its device's.
	Name string
	// LogicalPort is the Logical_Switch_Port that ovn-controller binds to it (iface-id).
	LogicalPort string
	// MTU is what the interface asks for (mtu_request), 0 for Open vSwitch's own choice.
	MTU uint32
	// Ours is set for ports with the mark of this package. ByOVNKubernetes is set for those
	// that its node component made for EVPN (external_ids:evpn-vtep).
	Ours, ByOVNKubernetes bool
	// Problem is what Open vSwitch says where it could not make the device, "" if it could.
	Problem string
}

const (
	// DefaultEndpoint is where ovsdb-server listens as distributions start it.
	DefaultEndpoint = "unix:/var/run/openvswitch/db.sock"
	// DefaultBridge is OVN's integration bridge.
	DefaultBridge = "br-int"

	// markManaged is our mark, in external_ids of the port and of the interface. That of the
	// interface decides, because interfaces are what is monitored.
	markManaged = "ovnbgp.io/managed"
	managedBy   = "agent"
	// ifaceID is what ovn-controller finds the interface of a logical port by.
	ifaceID = "iface-id"
	// evpnVTEP is OVN-Kubernetes' mark on ports (not on interfaces) of its EVPN devices.
	evpnVTEP = "evpn-vtep"
	// macVRF begins the names of logical ports that join a switch with a MAC-VRF.
	macVRF = "macvrf-"

	typeInternal = "internal"
	// maxName is the longest name that a network device can have (IFNAMSIZ).
	maxName = 15
)

// check is nil for a port that can be made.
func (p Port) check() error {
	switch {
	case p.Name == "" || len(p.Name) > maxName:
		return fmt.Errorf("%q can't be the name of a port: a network device's name has 1 to %d characters", p.Name, maxName)
	case strings.ContainsAny(p.Name, "/ \t\n") || p.Name == "." || p.Name == "..":
		return fmt.Errorf("%q can't be the name of a port: a network device's name has neither spaces nor slashes", p.Name)
	case p.LogicalPort == "":
		return fmt.Errorf("port %s: the logical port that it belongs to is missing", p.Name)
	}
	return nil
}

// system is Open vSwitch itself.
type system struct {
	UUID        string            `ovsdb:"_uuid"`
	ExternalIDs map[string]string `ovsdb:"external_ids"`
}

// systemID is, in external_ids, the name that ovn-controller gives the chassis.
const systemID = "system-id"

// row is an Interface.
type row struct {
	UUID        string            `ovsdb:"_uuid"`
	Name        string            `ovsdb:"name"`
	Type        string            `ovsdb:"type"`
	MTU         *int              `ovsdb:"mtu_request"`
	Error       *string           `ovsdb:"error"`
	ExternalIDs map[string]string `ovsdb:"external_ids"`
}

var columns = []string{"name", "type", "mtu_request", "error", "external_ids"}

func (r *row) ours() bool { return r.ExternalIDs[markManaged] == managedBy }

// relevant reports whether the row may be one of Ports.
func (r *row) relevant() bool {
	return r.ours() || strings.HasPrefix(r.ExternalIDs[ifaceID], macVRF)
}

func (r *row) port() Port {
	out := Port{Name: r.Name, LogicalPort: r.ExternalIDs[ifaceID], Ours: r.ours()}
	if r.MTU != nil {
		out.MTU = uint32(min(max(*r.MTU, 0), 1<<31))
	}
	if r.Error != nil {
		out.Problem = *r.Error
	}
	return out
}

// owner says whose a port is that we don't own, for people.
func owner(port, iface map[string]string) string {
	switch {
	case port[evpnVTEP] != "":
		return fmt.Sprintf("OVN-Kubernetes' own, for VTEP %s", port[evpnVTEP])
	case iface["sandbox"] != "":
		return fmt.Sprintf("a pod's, %s", cmp.Or(iface[ifaceID], "of a name that it doesn't have"))
	case iface[ifaceID] != "":
		return fmt.Sprintf("somebody else's, for the logical port %s", iface[ifaceID])
	default:
		return "somebody else's"
	}
}
