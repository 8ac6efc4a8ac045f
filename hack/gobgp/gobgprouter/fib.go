package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/osrg/gobgp/v4/api"
	"github.com/osrg/gobgp/v4/pkg/apiutil"
	"github.com/osrg/gobgp/v4/pkg/packet/bgp"
	"github.com/osrg/gobgp/v4/pkg/server"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// retry is when the kernel is asked again after it refused a route, as it does
// while the link to the next hop is down.
const retry = time.Second

// fib keeps the kernel's main table as the best learned paths are. Paths that
// this router originates stay out: the kernel has them already, or nowhere to
// send them.
type fib struct {
	bgp    *server.BgpServer
	log    *slog.Logger
	change chan struct{}
}

// newFIB must come before GoBGP learns anything.
func newFIB(bgp *server.BgpServer, log *slog.Logger) (*fib, error) {
	f := &fib{bgp: bgp, log: log, change: make(chan struct{}, 1)}
	err := bgp.WatchEvent(context.Background(), server.WatchEventMessageCallbacks{
		OnBestPath: func([]*apiutil.Path, time.Time) { f.changed() },
	}, server.WatchBestPath(true))
	return f, err
}

// changed says only that there is something to look at: what is to be in the
// kernel is read anew each time.
func (f *fib) changed() {
	select {
	case f.change <- struct{}{}:
	default:
	}
}

func (f *fib) follow(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.change:
		}
		if err := f.sync(); err != nil {
			f.log.Warn("not all routes are in the kernel", "error", err)
			time.AfterFunc(retry, f.changed)
		}
	}
}

func (f *fib) sync() error {
	var errs []error
	for _, family := range []struct {
		bgp    bgp.Family
		kernel int
	}{{bgp.RF_IPv4_UC, netlink.FAMILY_V4}, {bgp.RF_IPv6_UC, netlink.FAMILY_V6}} {
		wanted, err := f.best(family.bgp)
		if err != nil {
			return err
		}
		present, err := installed(family.kernel)
		if err != nil {
			return err
		}
		for prefix, nextHop := range wanted {
			if present[prefix] != nextHop {
				errs = append(errs, change(netlink.RouteReplace, prefix, nextHop))
			}
		}
		for prefix, nextHop := range present {
			if _, ok := wanted[prefix]; !ok {
				errs = append(errs, change(netlink.RouteDel, prefix, nextHop))
			}
		}
	}
	return errors.Join(errs...)
}

// best are the next hops of the best paths that neighbors told.
func (f *fib) best(family bgp.Family) (map[netip.Prefix]netip.Addr, error) {
	out := map[netip.Prefix]netip.Addr{}
	err := f.bgp.ListPath(apiutil.ListPathRequest{
		TableType: api.TableType_TABLE_TYPE_GLOBAL, Family: family,
	}, func(nlri bgp.NLRI, paths []*apiutil.Path) {
		prefix, err := netip.ParsePrefix(nlri.String())
		if err != nil {
			return
		}
		for _, path := range paths {
			// What this router originates has no address of a peer.
			if !path.Best || !path.PeerAddress.IsValid() || path.PeerAddress.IsUnspecified() {
				continue
			}
			if nextHop := nextHopOf(path); nextHop.IsValid() {
				out[prefix] = nextHop
			}
		}
	})
	return out, err
}

func nextHopOf(path *apiutil.Path) netip.Addr {
	for _, attribute := range path.Attrs {
		switch attribute := attribute.(type) {
		case *bgp.PathAttributeNextHop:
			return attribute.Value
		case *bgp.PathAttributeMpReachNLRI:
			return attribute.Nexthop
		}
	}
	return netip.Addr{}
}

// installed are this router's routes in the main table: no other daemon here
// marks routes as BGP's.
func installed(family int) (map[netip.Prefix]netip.Addr, error) {
	routes, err := netlink.RouteListFiltered(family,
		&netlink.Route{Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BGP}, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return nil, fmt.Errorf("list the kernel's routes: %w", err)
	}
	out := map[netip.Prefix]netip.Addr{}
	for _, route := range routes {
		if route.Dst == nil {
			continue
		}
		address, _ := netip.AddrFromSlice(route.Dst.IP)
		ones, _ := route.Dst.Mask.Size()
		nextHop, _ := netip.AddrFromSlice(route.Gw)
		out[netip.PrefixFrom(address.Unmap(), ones)] = nextHop.Unmap()
	}
	return out, nil
}

func change(how func(*netlink.Route) error, prefix netip.Prefix, nextHop netip.Addr) error {
	err := how(&netlink.Route{
		Dst:      &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())},
		Gw:       nextHop.AsSlice(),
		Table:    unix.RT_TABLE_MAIN,
		Protocol: unix.RTPROT_BGP,
	})
	if err != nil {
		return fmt.Errorf("%s via %s: %w", prefix, nextHop, err)
	}
	return nil
}
