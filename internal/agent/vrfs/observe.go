package vrfs

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

// Observe reads what Plan needs to know. An error means that nothing is known.
func Observe(namespace netns.NsHandle) (*Observed, error) {
	out := &Observed{}
	err := rtnetlink.ListWhole(namespace, rtnetlink.Devices(), func(payload []byte) error {
		d, err := decodeDevice(payload)
		out.Devices = append(out.Devices, d)
		return err
	}, func() { out.Devices = nil })
	if err != nil {
		return nil, fmt.Errorf("cannot list the devices: %w", err)
	}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := out.readFamily(namespace, family)
		if family == unix.AF_INET6 && errors.Is(err, syscall.EAFNOSUPPORT) {
			out.WithoutIPv6 = true
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (o *Observed) readFamily(namespace netns.NsHandle, family uint8) error {
	request := nl.NewNetlinkRequest(unix.RTM_GETRULE, unix.NLM_F_DUMP)
	request.AddData(familyHeader(family))
	before := len(o.Rules)
	err := rtnetlink.ListWhole(namespace, request, func(payload []byte) error {
		r, err := decodeRule(payload)
		o.Rules = append(o.Rules, r)
		return err
	}, func() { o.Rules = o.Rules[:before] })
	if err != nil {
		return fmt.Errorf("cannot list the ip rules: %w", err)
	}
	request = nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
	header := familyHeader(family)
	// Tables may have a full BGP feed: the kernel is to pick these few.
	header.Type = unix.RTN_UNREACHABLE
	request.AddData(header)
	before = len(o.Routes)
	err = rtnetlink.ListWhole(namespace, request, func(payload []byte) error {
		r, stopsAll, err := decodeRoute(payload, family)
		if stopsAll {
			o.Routes = append(o.Routes, r)
		}
		return err
	}, func() { o.Routes = o.Routes[:before] })
	if err != nil {
		return fmt.Errorf("cannot list the unreachable routes: %w", err)
	}
	return nil
}

// familyHeader asks for everything of a family. The headers of rules and
// routes are laid out alike.
func familyHeader(family uint8) *nl.RtMsg {
	header := &nl.RtMsg{}
	header.Family = family
	return header
}
