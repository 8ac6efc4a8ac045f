package lab

import (
	"context"
	"errors"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// Server is a host behind a router. It answers probes, and asks.
type Server struct {
	*machine.Machine
	// Subnets are where it is; its addresses end in 10.
	Subnets []netip.Prefix

	router  *Router
	device  string
	answers *probe.Server
}

// serverNumber is the last byte of a server's addresses, routerNumber that of
// the router before it.
const (
	routerNumber = 1
	serverNumber = 10
)

// AddServer puts a host behind the router, in subnets of its own. The router
// does not announce them: see Announce.
func (r *Router) AddServer(ctx context.Context, name string, subnets ...netip.Prefix) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	host, err := r.Machine.Pod(name)
	if err != nil {
		return nil, err
	}
	s := &Server{Machine: host, Subnets: subnets, router: r, device: name}
	near, far := machine.End{Machine: r.Machine, Name: name}, machine.End{Machine: host, Name: "eth0"}
	for _, subnet := range subnets {
		near.Addresses = append(near.Addresses, numbered(subnet, routerNumber).String())
		far.Addresses = append(far.Addresses, numbered(subnet, serverNumber).String())
	}
	if err := machine.Link(near, far); err != nil {
		return s, errors.Join(err, s.Close())
	}
	for _, subnet := range subnets {
		router := numbered(subnet, routerNumber).Addr()
		if err := host.AddRoute(netip.PrefixFrom(router, 0).Masked(), router, 0); err != nil {
			return s, errors.Join(err, s.Close())
		}
	}
	if s.answers, err = probe.Serve(host); err != nil {
		return s, errors.Join(err, s.Close())
	}
	return s, nil
}

// Address is the server's of a family.
func (s *Server) Address(ipv4 bool) netip.Addr {
	subnet := ofFamily(s.Subnets, ipv4)
	if !subnet.IsValid() {
		return netip.Addr{}
	}
	return numbered(subnet, serverNumber).Addr()
}

// Close removes the server and its link.
func (s *Server) Close() error {
	if s.answers != nil {
		_ = s.answers.Close()
	}
	return s.Machine.Close()
}

func numbered(subnet netip.Prefix, number byte) netip.Prefix {
	bytes := subnet.Masked().Addr().AsSlice()
	bytes[len(bytes)-1] = number
	address, _ := netip.AddrFromSlice(bytes)
	return netip.PrefixFrom(address, subnet.Bits())
}
