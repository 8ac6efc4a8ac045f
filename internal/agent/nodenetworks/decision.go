package nodenetworks

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Decision is a NodeNetworks object, parsed.
type Decision struct {
	// UID is the Node's.
	UID string
	// NotUnderstood says which fields a newer manager wrote, "" for none.
	NotUnderstood string

	// addresses are the node's own, with the lengths of the subnets they are in.
	addresses               []netip.Prefix
	gateway, gatewayProblem string
	apiServer               []netip.Addr

	services, join, masquerade, transit []netip.Prefix

	networks []network
	vteps    map[string]vtep
}

// network is one network of a Decision.
type network struct {
	*v1alpha1.NodeNetwork
	subnets, hostSubnets []netip.Prefix
	gateways             []netip.Addr
}

// decisionOf reads an object as the API server has it, or as a file kept it. What
// can't be understood is an error: with one subnet left out, routes to it would be
// imported.
func decisionOf(content map[string]any) (*Decision, error) {
	var object v1alpha1.NodeNetworks
	out := &Decision{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(content, &object, true); runtime.IsStrictDecodingError(err) {
		out.NotUnderstood = err.Error()
	} else if err != nil {
		return nil, err
	}
	var p parser
	spec := &object.Spec
	out.UID, out.gateway, out.gatewayProblem = string(spec.NodeUID), spec.Gateway, spec.GatewayProblem
	out.addresses = p.cidrs("addresses", spec.Addresses)
	out.apiServer = p.addresses("reserved.apiServer", spec.Reserved.APIServer)
	out.services = p.subnets("reserved.services", spec.Reserved.Services)
	out.join = p.subnets("reserved.join", spec.Reserved.Join)
	out.masquerade = p.subnets("reserved.masquerade", spec.Reserved.Masquerade)
	out.transit = p.subnets("reserved.transit", spec.Reserved.Transit)
	for i := range spec.Networks {
		n := &spec.Networks[i]
		where := fmt.Sprintf("networks[%s].", n.Name)
		out.networks = append(out.networks, network{
			NodeNetwork: n, subnets: p.subnets(where+"subnets", n.Subnets), hostSubnets: p.subnets(where+"hostSubnets", n.HostSubnets),
			gateways: p.gateways(where+"evpn.gateways", n.EVPN),
		})
	}
	out.vteps = p.vteps(spec.VTEPs)
	if !slices.ContainsFunc(out.networks, func(n network) bool { return isDefault(&n) }) {
		// Every node is on it, so that the object isn't what the manager wrote. What is
		// on no list would be taken for gone.
		p.note("networks", errors.New("the default network is missing"))
	}
	if err := errors.Join(p.problems...); err != nil {
		return nil, err
	}
	return out, nil
}

// standalone is what is sure of every node: it is on the default network.
func standalone() *Decision {
	return &Decision{networks: []network{{NodeNetwork: &v1alpha1.NodeNetwork{
		Name: model.DefaultNetwork, Topology: string(model.TopologyLayer3), PodVRFs: []v1alpha1.VRFName{model.DefaultVRF},
	}}}}
}

// parser collects what is wrong with an object.
type parser struct{ problems []error }

func (p *parser) note(field string, err error) {
	if err != nil {
		p.problems = append(p.problems, fmt.Errorf("spec.%s: %w", field, err))
	}
}

func (p *parser) addresses(field string, list []v1alpha1.IP) []netip.Addr {
	var out []netip.Addr
	for _, text := range list {
		address, err := netip.ParseAddr(string(text))
		p.note(field, err)
		out = append(out, address)
	}
	return out
}

func (p *parser) cidrs(field string, list []v1alpha1.CIDR) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range list {
		prefix, err := netip.ParsePrefix(string(text))
		p.note(field, err)
		out = append(out, prefix)
	}
	return out
}

func (p *parser) subnets(field string, list []v1alpha1.CIDR) []netip.Prefix {
	out := p.cidrs(field, list)
	for i := range out {
		out[i] = out[i].Masked()
	}
	return out
}
