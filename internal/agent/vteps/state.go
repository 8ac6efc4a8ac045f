package vteps

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// State is what became of a VTEP.
type State struct {
	VTEP string
	// Device is the name that its device has, or should have.
	Device    string
	Addresses []netip.Addr
	// Problem is what is wrong, and what to do about it; "" if the node has the addresses.
	// Reason is the first of several in one word.
	Reason  Reason
	Problem string
}

// Equal reports whether two states are the same.
func (s *State) Equal(o *State) bool {
	return s.VTEP == o.VTEP && s.Device == o.Device && slices.Equal(s.Addresses, o.Addresses) && s.Reason == o.Reason && s.Problem == o.Problem
}

// Reason is why the node has not all addresses of a VTEP, in one word.
type Reason string

// Reasons. With the first one the state is not known.
//
//reference:reasons NodeRouteState VTEPReady
const (
	// Unknown: the agent could not read the kernel's devices or addresses.
	// Do: fix the error in the message; the agent tries again by itself.
	ReasonKernelUnread Reason = "KernelUnread"
	// False: the manager gave the node an address that no link has, and this agent may not
	// make a device for it.
	// Do: start the agent with --manage-vteps and without --observe-only, or give the
	// address to a link yourself.
	ReasonNotManaged Reason = "NotManaged"
	// False: a device that the agent did not make has the name that the VTEP's device
	// needs.
	// Do: rename or delete that device, or give the VTEP another name.
	ReasonNameTaken Reason = "NameTaken"
	// False: another link has the address. Tunnels would work, and stop with that link.
	// Do: remove the address from the link; the agent then puts it on its own device.
	ReasonAddressTaken Reason = "AddressTaken"
	// False: the kernel refused a change.
	// Do: fix the error in the message, mostly a missing capability (NET_ADMIN) or kernel
	// module (dummy).
	ReasonKernelRefused Reason = "KernelRefused"
)

// Decided reports whether it is known that something is wrong.
func (r Reason) Decided() bool { return r != ReasonKernelUnread }

func (s *State) trouble(reason Reason, format string, args ...any) {
	if s.Problem != "" {
		s.Problem += "; "
	} else {
		s.Reason = reason
	}
	s.Problem += fmt.Sprintf(format, args...)
}

// begin are the states of VTEPs, sorted by name, before anything is known.
func begin(vteps []VTEP) []State {
	out := make([]State, 0, len(vteps))
	for _, v := range vteps {
		out = append(out, State{VTEP: v.Name, Device: ovnk.VTEPDummy(v.Name), Addresses: slices.SortedFunc(slices.Values(v.Addresses), netip.Addr.Compare)})
	}
	slices.SortStableFunc(out, func(a, b State) int { return cmp.Compare(a.VTEP, b.VTEP) })
	return out
}

// unread are the states while the kernel can't be read.
func unread(vteps []VTEP, err error) []State {
	out := begin(vteps)
	for i := range out {
		out[i].trouble(ReasonKernelUnread, "%s", err)
	}
	return out
}
