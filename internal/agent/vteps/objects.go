package vteps

import (
	"fmt"
	"net/netip"
)

const (
	// Group is the device group (IFLA_GROUP) of what is made here. A group can be given in
	// the message that makes a device, an alias can't.
	Group uint32 = 0x6f766e62
	// AliasPrefix begins the alias of devices, with the VTEP's name behind it, for people.
	AliasPrefix = "ovnbgp.io/vtep "

	kindDummy = "dummy"
)

// VTEP is one of which the node has addresses.
type VTEP struct {
	Name      string
	Addresses []netip.Addr
}

// Device is a network device.
type Device struct {
	Index int32
	Name  string
	Kind  string
	Group uint32
	Alias string
	Up    bool
}

func (d *Device) ours() bool { return d.Kind == kindDummy && d.Group == Group }

func aliasOf(vtep string) string {
	alias := AliasPrefix + vtep
	return alias[:min(len(alias), 255)] // IFALIASZ without its terminator
}

// Address is an address on a device.
type Address struct {
	Device int32
	Prefix netip.Prefix
}

// Observed is what the kernel has.
type Observed struct {
	// Devices are all of the node's, since any may have a name or an address that is
	// wanted. Addresses are without those of one link only.
	Devices   []Device
	Addresses []Address
}

// Verb is what a Change does.
type Verb uint8

// What can be changed, in the order in which it is: an old address goes only once the new
// one is there.
const (
	CreateDevice Verb = iota
	SetAlias
	SetUp
	AddAddress
	DeleteAddress
	DeleteDevice
)

// Change is one change to the kernel.
type Change struct {
	Verb Verb
	// VTEP is on whose behalf it is; once a change for one failed, those after it are left
	// for the next time. It is "" for what is left of VTEPs that are gone.
	VTEP    string
	Device  Device
	Address netip.Prefix
}

func (c Change) String() string {
	switch c.Verb {
	case CreateDevice:
		return "create dummy device " + c.Device.Name
	case SetAlias:
		return fmt.Sprintf("give dummy device %s the alias %q", c.Device.Name, c.Device.Alias)
	case SetUp:
		return fmt.Sprintf("set dummy device %s up", c.Device.Name)
	case AddAddress:
		return fmt.Sprintf("add address %s to %s", c.Address, c.Device.Name)
	case DeleteAddress:
		return fmt.Sprintf("delete address %s from %s", c.Address, c.Device.Name)
	default:
		return "delete dummy device " + c.Device.Name
	}
}
