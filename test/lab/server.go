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
	near := make([]netip.Prefix, len(subnets))
	for i, subnet := range subnets {
		near[i] = numbered(subnet, routerNumber)
	}
	s, err := r.addHost(ctx, name, near, subnets)
	if err != nil {
		return s, err
	}
	for _, router := range near {
		if err := s.AddRoute(netip.PrefixFrom(router.Addr(), 0).Masked(), router.Addr(), 0); err != nil {
			return s, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// addHost links a host to the router, which has these addresses on the link.
func (r *Router) addHost(ctx context.Context, name string, near, subnets []netip.Prefix) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	host, err := r.Machine.Pod(name)
	if err != nil {
		return nil, err
	}
	s := &Server{Machine: host, Subnets: subnets, router: r, device: name}
	far := machine.End{Machine: host, Name: "eth0"}
	for _, subnet := range subnets {
		far.Addresses = append(far.Addresses, numbered(subnet, serverNumber).String())
	}
	if err := machine.Link(machine.End{Machine: r.Machine, Name: name, Addresses: texts(near)}, far); err != nil {
		return s, errors.Join(err, s.Close())
	}
	if s.answers, err = probe.Serve(host); err != nil {
		return s, errors.Join(err, s.Close())
	}
	return s, nil
}

// addServerIn is AddServer behind a VRF of the router.
func (r *Router) addServerIn(ctx context.Context, vrf, name string, subnets ...netip.Prefix) (*Server, error) {
	s, err := r.AddServer(ctx, name, subnets...)
	if err != nil {
		return s, err
	}
	near := make([]netip.Prefix, len(subnets))
	for i, subnet := range subnets {
		near[i] = numbered(subnet, routerNumber)
	}
	err = r.Machine.Enslave(name, vrf)
	if err == nil {
		err = r.Machine.AddAddresses(name, texts(near)...)
	}
	if err != nil {
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
