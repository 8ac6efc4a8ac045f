package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
)

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
func DumpRoutes(namespace netns.NsHandle, table uint32, each func(*Route)) error {
	var route Route
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := rtnetlink.List(namespace, routeRequest(family, table), func(payload []byte) (err error) {
			if route, err = DecodeRoute(payload); err != nil {
				return err
			}
			if route.Table == table && !route.Cloned {
				each(&route)
			}
			return nil
		})
		// A table that never had a route does not exist; a kernel without IPv6 can't
		// list its routes.
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
func dumpLinks(namespace netns.NsHandle) (map[int32]Link, error) {
	out := map[int32]Link{}
	err := rtnetlink.List(namespace, rtnetlink.Devices(), func(payload []byte) error {
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
func dumpNexthops(namespace netns.NsHandle) (map[uint32]nexthop, error) {
	request := nl.NewNetlinkRequest(unix.RTM_GETNEXTHOP, unix.NLM_F_DUMP)
	request.AddData(&nl.Nhmsg{})
	out := map[uint32]nexthop{}
	err := rtnetlink.List(namespace, request, func(payload []byte) error {
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
