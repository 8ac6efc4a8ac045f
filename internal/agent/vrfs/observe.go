package vrfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// attempts is how often a listing that was interrupted is begun again.
const attempts = 10

// Observe reads what Plan needs to know. An error means that nothing is known.
func Observe(namespace netns.NsHandle) (*Observed, error) {
	out := &Observed{}
	links := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	links.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	const skipStatistics = 1 << 3 // RTEXT_FILTER_SKIP_STATS
	links.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, binary.NativeEndian.AppendUint32(nil, skipStatistics)))
	err := list(namespace, links, func(payload []byte) error {
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
	err := list(namespace, request, func(payload []byte) error {
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
	err = list(namespace, request, func(payload []byte) error {
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

// list calls each message of a listing, and undo before it is begun anew.
func list(namespace netns.NsHandle, request *nl.NetlinkRequest, each func([]byte) error, undo func()) error {
	s, err := nl.GetNetlinkSocketAt(orOwn(namespace), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("cannot open a netlink socket: %w", err)
	}
	defer func() { _ = s.Close() }()
	// Without strict checking the kernel ignores the filter.
	if err := unix.SetsockoptInt(s.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1); err != nil {
		return fmt.Errorf("the kernel can't filter listings (Linux 4.20 or newer is needed): %w", err)
	}
	if err := s.SetReceiveTimeout(&unix.Timeval{Sec: 60}); err != nil {
		return err
	}
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	for attempt := 1; ; attempt++ {
		var failure error
		err := request.ExecuteIter(unix.NETLINK_ROUTE, 0, func(payload []byte) bool {
			failure = each(payload)
			return failure == nil
		})
		if failure != nil {
			return failure
		}
		if attempt == attempts || !errors.Is(err, netlink.ErrDumpInterrupted) {
			return err
		}
		undo()
	}
}

// orOwn lets the zero value stand for the process's own namespace.
func orOwn(namespace netns.NsHandle) netns.NsHandle {
	if namespace <= 0 {
		return netns.None()
	}
	return namespace
}
