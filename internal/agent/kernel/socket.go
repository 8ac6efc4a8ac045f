package kernel

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

// Namespace is the network namespace to look into; the zero value is the
// process's own.
type Namespace struct{ handle netns.NsHandle }

// NamespaceOf returns the namespace of an open handle.
func NamespaceOf(handle netns.NsHandle) Namespace { return Namespace{handle: handle} }

func (n Namespace) netns() netns.NsHandle {
	if n.handle <= 0 {
		return netns.None()
	}
	return n.handle
}

// groups are the kinds of events that can change a route. An IPv4 route goes
// without a message of its own when its link, its nexthop object or its
// source address goes.
var groups = []uint{
	unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_LINK,
	unix.RTNLGRP_NEXTHOP, unix.RTNLGRP_IPV4_IFADDR,
}

// subscribe opens a socket for events. A BGP table that comes all at once
// needs a large buffer, more than net.core.rmem_max may allow, which needs
// CAP_NET_ADMIN.
func subscribe(namespace Namespace, buffer int) (*nl.NetlinkSocket, error) {
	s, err := nl.SubscribeAt(namespace.netns(), netns.None(), unix.NETLINK_ROUTE, groups...)
	if err != nil {
		return nil, fmt.Errorf("cannot subscribe to the kernel's route events: %w", err)
	}
	if err := s.SetReceiveBufferSize(buffer, true); err != nil {
		if err := s.SetReceiveBufferSize(buffer, false); err != nil {
			_ = s.Close()
			return nil, fmt.Errorf("cannot get a receive buffer of %d bytes: %w", buffer, err)
		}
	}
	return s, nil
}

// dump asks for a list and calls each message of it. The error is
// netlink.ErrDumpInterrupted where the list may be wrong.
func dump(namespace Namespace, request *nl.NetlinkRequest, each func(payload []byte) error) error {
	s, err := nl.GetNetlinkSocketAt(namespace.netns(), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("cannot open a netlink socket: %w", err)
	}
	defer func() { _ = s.Close() }()
	// Without strict checking the kernel ignores the filter and sends every
	// table, millions of routes on some nodes.
	if err := unix.SetsockoptInt(s.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1); err != nil {
		return fmt.Errorf("the kernel can't filter route dumps (Linux 4.20 or newer is needed): %w", err)
	}
	if err := s.SetReceiveTimeout(&unix.Timeval{Sec: 60}); err != nil {
		return err
	}
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	var failure error
	err = request.ExecuteIter(unix.NETLINK_ROUTE, 0, func(payload []byte) bool {
		failure = each(payload)
		return failure == nil
	})
	if failure != nil {
		return failure
	}
	return err
}

// routeRequest asks for the routes of one family in one table: those of other
// protocols may stand before BGP's.
func routeRequest(family uint8, table uint32) *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
	header := &nl.RtMsg{}
	header.Family = family
	request.AddData(header)
	request.AddData(nl.NewRtAttr(unix.RTA_TABLE, binary.NativeEndian.AppendUint32(nil, table)))
	return request
}

// DumpRoutes calls each route of a table, of both families and of every
// protocol. A route is valid until the next one.
func DumpRoutes(namespace Namespace, table uint32, each func(*Route)) error {
	var route Route
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := dump(namespace, routeRequest(family, table), func(payload []byte) (err error) {
			if route, err = DecodeRoute(payload); err != nil {
				return err
			}
			if route.Table == table && !route.Cloned {
				each(&route)
			}
			return nil
		})
		// A table that never had a route does not exist; without IPv6 there
		// is nobody to ask about it.
		if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.EAFNOSUPPORT) {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot list the routes of table %d: %w", table, err)
		}
	}
	return nil
}

// dumpLinks lists the devices.
func dumpLinks(namespace Namespace) (map[int32]Link, error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	request.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	const skipStatistics = 1 << 3 // RTEXT_FILTER_SKIP_STATS
	request.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, binary.NativeEndian.AppendUint32(nil, skipStatistics)))
	out := map[int32]Link{}
	err := dump(namespace, request, func(payload []byte) error {
		link, err := DecodeLink(payload)
		out[link.Index] = link
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot list the links: %w", err)
	}
	return out, nil
}

// dumpNexthops lists the nexthop objects; kernels before 5.3 have none.
func dumpNexthops(namespace Namespace) (map[uint32]nexthop, error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETNEXTHOP, unix.NLM_F_DUMP)
	request.AddData(&nl.Nhmsg{})
	out := map[uint32]nexthop{}
	err := dump(namespace, request, func(payload []byte) error {
		n, err := decodeNexthop(payload)
		out[n.id] = n
		return err
	})
	if errors.Is(err, syscall.EOPNOTSUPP) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the nexthop objects: %w", err)
	}
	return out, nil
}

func interrupted(err error) bool { return errors.Is(err, netlink.ErrDumpInterrupted) }
