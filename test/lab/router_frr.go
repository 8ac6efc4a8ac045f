package lab

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"text/template"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
)

// frrBGP is a router's FRR.
type frrBGP struct {
	*frr.FRR
	asn uint32
}

// The route-map delay is five seconds by default, which would be most of what
// there is to measure; BFD's 0.9 are too little on a busy machine.
var routerConfig = template.Must(template.New("frr.conf").Parse(`frr defaults traditional
hostname {{.Name}}
service integrated-vtysh-config
log stdout informational
bgp route-map delay-timer 0
bfd
 profile watched
  receive-interval 300
  transmit-interval 300
  detect-multiplier 5
router bgp {{.ASN}}
 bgp router-id {{.RouterID}}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 bgp bestpath as-path multipath-relax
 timers bgp 3 9
{{- range $family := .Families}}
{{- if .Nodes}}
 neighbor nodes-{{.AFI}} peer-group
 neighbor nodes-{{.AFI}} remote-as {{$.NodeASN}}
 neighbor nodes-{{.AFI}} timers connect 1
{{- if $.BFD}}
 neighbor nodes-{{.AFI}} bfd profile watched
{{- end}}
{{- end}}
{{- range .Nodes}}
 neighbor {{.}} peer-group nodes-{{$family.AFI}}
{{- end}}
{{- range .Routers}}
 neighbor {{.Address}} remote-as {{.ASN}}
 neighbor {{.Address}} timers connect 1
{{- if $.BFD}}
 neighbor {{.Address}} bfd profile watched
{{- end}}
{{- end}}
{{- end}}
{{- range .Families}}
 address-family {{.AFI}} unicast
{{- if .Nodes}}
  neighbor nodes-{{.AFI}} activate
{{- if $.Reflects}}
  neighbor nodes-{{.AFI}} route-reflector-client
{{- end}}
  neighbor nodes-{{.AFI}} soft-reconfiguration inbound
{{- end}}
{{- range .Routers}}
  neighbor {{.Address}} activate
{{- if eq .ASN $.ASN}}
  neighbor {{.Address}} next-hop-self
{{- end}}
  neighbor {{.Address}} soft-reconfiguration inbound
{{- end}}
  maximum-paths 8
  maximum-paths ibgp 8
 exit-address-family
{{- end}}
`))

type routerFamily struct {
	AFI     string
	Nodes   []netip.Addr
	Routers []routerNeighbor
}

type routerNeighbor struct {
	Address netip.Addr
	ASN     uint32
}

func (r *Router) startFRR(ctx context.Context) error {
	values := struct {
		RouterDescription
		NodeASN  uint32
		RouterID netip.Addr
		Reflects bool
		Families []routerFamily
	}{RouterDescription: r.RouterDescription, NodeASN: NodeASN, RouterID: r.identifier(), Reflects: r.ASN == NodeASN}
	for _, ipv4 := range r.lab.Families() {
		family := routerFamily{AFI: afi(ipv4)}
		if len(r.Behind) == 0 {
			family.Nodes = r.lab.nodeAddresses(ipv4)
		}
		for _, link := range r.links {
			family.Routers = append(family.Routers, routerNeighbor{ofFamily(link.addresses, ipv4).Addr(), link.ASN})
		}
		values.Families = append(values.Families, family)
	}
	var text bytes.Buffer
	if err := routerConfig.Execute(&text, values); err != nil {
		return err
	}
	var err error
	r.FRR, err = frr.Start(ctx, r.Machine, text.String())
	r.BGP = frrBGP{r.FRR, r.ASN}
	return err
}

// nodeAddresses are the nodes' on the fabric.
func (l *Lab) nodeAddresses(ipv4 bool) []netip.Addr {
	var out []netip.Addr
	for _, n := range l.Nodes {
		out = append(out, n.Address(ipv4))
	}
	return out
}

func (f frrBGP) set(ctx context.Context, announce bool, prefixes []netip.Prefix) error {
	if len(prefixes) == 0 {
		return nil
	}
	commands := []string{fmt.Sprintf("router bgp %d", f.asn)}
	for _, p := range prefixes {
		command := "network " + p.String()
		if !announce {
			command = "no " + command
		}
		commands = append(commands, fmt.Sprintf("address-family %s unicast", afi(p.Addr().Is4())), command, "exit-address-family")
	}
	return f.Configure(ctx, commands...)
}
