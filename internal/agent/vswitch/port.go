package vswitch

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
}
