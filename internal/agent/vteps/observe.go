package vteps

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
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
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		request := nl.NewNetlinkRequest(unix.RTM_GETADDR, unix.NLM_F_DUMP)
		request.AddData(nl.NewIfAddrmsg(family))
		before := len(out.Addresses)
		err := rtnetlink.ListWhole(namespace, request, func(payload []byte) error {
			a, err := decodeAddress(payload)
			if err == nil && !a.Prefix.Addr().IsLinkLocalUnicast() {
				out.Addresses = append(out.Addresses, a)
			}
			return err
		}, func() { out.Addresses = out.Addresses[:before] })
		if err != nil && !(family == unix.AF_INET6 && errors.Is(err, syscall.EAFNOSUPPORT)) {
			return nil, fmt.Errorf("cannot list the addresses: %w", err)
		}
	}
	return out, nil
}

// decodeDevice decodes the payload of RTM_NEWLINK and RTM_DELLINK.
func decodeDevice(b []byte) (Device, error) {
	var d Device
	if len(b) < unix.SizeofIfInfomsg {
		return d, rtnetlink.ErrShort
	}
	d.Index = int32(binary.NativeEndian.Uint32(b[4:]))
	d.Up = binary.NativeEndian.Uint32(b[8:])&unix.IFF_UP != 0
	err := rtnetlink.Attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.IFLA_IFNAME:
			d.Name = unix.ByteSliceToString(value)
		case unix.IFLA_IFALIAS:
			d.Alias = unix.ByteSliceToString(value)
		case unix.IFLA_GROUP:
			d.Group, err = rtnetlink.Uint32(value)
		case unix.IFLA_LINKINFO:
			err = rtnetlink.Attributes(value, func(kind uint16, value []byte) error {
				if kind == unix.IFLA_INFO_KIND {
					d.Kind = unix.ByteSliceToString(value)
				}
				return nil
			})
		}
		return err
	})
	return d, err
}

// decodeAddress decodes the payload of RTM_NEWADDR and RTM_DELADDR. On a link between two
// hosts IFA_ADDRESS is the other one's; of IPv6 there is no IFA_LOCAL without a peer.
func decodeAddress(b []byte) (Address, error) {
	var out Address
	if len(b) < unix.SizeofIfAddrmsg {
		return out, rtnetlink.ErrShort
	}
	length := int(b[1])
	out.Device = int32(binary.NativeEndian.Uint32(b[4:]))
	var local, other netip.Addr
	err := rtnetlink.Attributes(b[unix.SizeofIfAddrmsg:], func(kind uint16, value []byte) (err error) {
		switch kind {
		case unix.IFA_LOCAL:
			local, err = rtnetlink.Address(value)
		case unix.IFA_ADDRESS:
			other, err = rtnetlink.Address(value)
		}
		return err
	})
	if !local.IsValid() {
		local = other
	}
	if err == nil && (!local.IsValid() || length > local.BitLen()) {
		err = rtnetlink.ErrShort
	}
	out.Prefix = netip.PrefixFrom(local, length)
	return out, err
}
