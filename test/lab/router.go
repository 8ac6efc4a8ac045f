package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"text/template"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// Router is an FRR router outside of the cluster. It accepts sessions from all
// nodes, and announces what it is told to.
type Router struct {
	RouterDescription
	*frr.FRR
	Addresses []netip.Prefix

	description Description

	mutex     sync.Mutex
	announced map[netip.Prefix]bool
}

// Address is the router's on the fabric.
func (r *Router) Address(ipv4 bool) netip.Addr { return ofFamily(r.Addresses, ipv4).Addr() }

// The route-map delay is five seconds by default, which would be most of what
// there is to measure.
var routerConfig = template.Must(template.New("frr.conf").Parse(`frr defaults traditional
hostname {{.Name}}
service integrated-vtysh-config
log stdout informational
bgp route-map delay-timer 0
router bgp {{.ASN}}
 bgp router-id {{.RouterID}}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp bestpath as-path multipath-relax
 timers bgp 3 9
{{- range $family := .Families}}
 neighbor nodes-{{.AFI}} peer-group
 neighbor nodes-{{.AFI}} remote-as {{$.NodeASN}}
 neighbor nodes-{{.AFI}} timers connect 1
{{- range .Nodes}}
 neighbor {{.}} peer-group nodes-{{$family.AFI}}
{{- end}}
{{- end}}
{{- range .Families}}
 address-family {{.AFI}} unicast
  neighbor nodes-{{.AFI}} activate
{{- if $.Reflects}}
  neighbor nodes-{{.AFI}} route-reflector-client
{{- end}}
  neighbor nodes-{{.AFI}} soft-reconfiguration inbound
  maximum-paths 8
  maximum-paths ibgp 8
 exit-address-family
{{- end}}
`))

type routerFamily struct {
	AFI   string
	Nodes []netip.Addr
}

func (r *Router) config() (string, error) {
	values := struct {
		RouterDescription
		NodeASN  uint32
		RouterID netip.Addr
		Reflects bool
		Families []routerFamily
	}{RouterDescription: r.RouterDescription, NodeASN: NodeASN, Reflects: r.ASN == NodeASN}
	// Also without IPv4 a router has an identifier that looks like it.
	id := fabric4.Addr().As4()
	id[3] = r.Addresses[0].Addr().AsSlice()[len(r.Addresses[0].Addr().AsSlice())-1]
	values.RouterID = netip.AddrFrom4(id)
	for _, ipv4 := range r.description.Families() {
		family := routerFamily{AFI: afi(ipv4)}
		for i := range r.description.Nodes {
			family.Nodes = append(family.Nodes, ofFamily(r.description.onFabric(byte(firstNode+i)), ipv4).Addr())
		}
		values.Families = append(values.Families, family)
	}
	var text bytes.Buffer
	err := routerConfig.Execute(&text, values)
	return text.String(), err
}

func afi(ipv4 bool) string {
	if ipv4 {
		return "ipv4"
	}
	return "ipv6"
}

// Announce announces prefixes to all neighbors in the default VRF.
func (r *Router) Announce(ctx context.Context, prefixes ...netip.Prefix) error {
	return r.networks(ctx, true, prefixes)
}

// Withdraw takes announced prefixes back; those that aren't announced are left
// alone.
func (r *Router) Withdraw(ctx context.Context, prefixes ...netip.Prefix) error {
	return r.networks(ctx, false, prefixes)
}

func (r *Router) networks(ctx context.Context, announce bool, prefixes []netip.Prefix) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var commands []string
	for _, p := range prefixes {
		if r.announced[p] == announce {
			continue
		}
		command := "network " + p.String()
		if !announce {
			command = "no " + command
		}
		commands = append(commands, fmt.Sprintf("address-family %s unicast", afi(p.Addr().Is4())), command, "exit-address-family")
	}
	if len(commands) == 0 {
		return nil
	}
	if err := r.Configure(ctx, append([]string{fmt.Sprintf("router bgp %d", r.ASN)}, commands...)...); err != nil {
		return err
	}
	if r.announced == nil {
		r.announced = map[netip.Prefix]bool{}
	}
	for _, p := range prefixes {
		r.announced[p] = announce
	}
	return nil
}

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
