package plan

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
)

// nodePlanner plans one node.
type nodePlanner struct {
	*Compiled
	node    *model.Node
	configs map[string]*configBuilder
	// overlappedByDefault holds, per VRF, networks that overlap the default network's
	// part on this node.
	overlappedByDefault map[string]map[string]overlap
	// vniOwners are the networks that the node's VNIs belong to, nil until asked for.
	vniOwners map[uint32]*advertisedNetwork
	// frozen is set where frr-k8s takes nothing new for the node.
	frozen bool
}

// Node plans one node, leaving out the RouteAdvertisements objects that the
// caller names (nil for none), and those that another controller works on. It is
// safe for concurrent use.
func (c *Compiled) Node(n *model.Node, without map[string]bool) model.NodePlan {
	return c.NodeKeeping(n, without, nil)
}

// NodeKeeping is Node with those of the objects that another controller works on
// for which the caller wants to keep what was applied.
func (c *Compiled) NodeKeeping(n *model.Node, without, kept map[string]bool) model.NodePlan {
	p := &nodePlanner{Compiled: c, node: n, configs: map[string]*configBuilder{}}
	out := model.NodePlan{Node: n.Name, Hostname: n.Hostname}
	for _, a := range c.advertisers {
		if a.idle || without[a.Name] || a.aside && !kept[a.Name] || !a.NodeSelector.Matches(n.Labels) {
			continue
		}
		part, keep := p.plan(a)
		out.Parts = append(out.Parts, part)
		out.Keep = out.Keep || keep
	}
	if out.Keep {
		blockRest(out.Parts)
		return out
	}
	out.Configs = p.build()
	noteRaw(&out)
	return out
}

// blockRest marks the parts that would have been rendered, had not another
// one found that the node's state isn't known.
func blockRest(parts []model.NodePart) {
	for i := range parts {
		if parts[i].State == model.PartPlanned {
			outcome.Move(&parts[i], model.PartKept, finding.NodeKept())
		}
	}
}

// plan plans one advertiser's part. It asks to keep what was last applied
// where an input of the node is missing.
func (p *nodePlanner) plan(a *advertiser) (part model.NodePart, keep bool) {
	part = model.NodePart{RA: a.Name}
	templates, underlays := p.templatesFor(a), p.underlaysFor(a)
	if problem := p.unknown(a); problem != nil {
		if len(templates)+len(underlays) == 0 {
			// Whatever the node's state is, the object has no part in its plan; the
			// plan of others must not wait for it.
			outcome.Move(&part, model.PartNoTemplate, finding.NodeWithoutTemplate())
			return part, false
		}
		outcome.Move(&part, model.PartKept, *problem)
		return part, true
	}
	networks := p.networksOn(a, &part)
	routes, from := p.routes(a, networks, &part)
	tunnels := p.tunnelsOn(a, &part)
	switch {
	case len(routes)+len(tunnels) == 0 && slices.ContainsFunc(part.Findings, model.Finding.Blocks):
		outcome.Move(&part, model.PartHeldBack)
	case len(routes)+len(tunnels) == 0:
		outcome.Move(&part, model.PartIdle)
	case len(templates)+len(underlays) == 0:
		// It may be intended, so it blocks nothing; Verdict reports it if it is so on
		// all nodes.
		outcome.Move(&part, model.PartNoTemplate, finding.NodeWithoutTemplate())
	default:
		c := &contribution{advertiser: a, networks: networks, routes: routes, from: from, rules: p.rulesOn(a), tunnels: tunnels, underlays: underlays}
		p.contribute(c, templates, &part)
		part.Policies = c.rules.parts()
		part.Findings = append(part.Findings, c.rules.ofDrain()...)
		if p.drains[p.node.Name].Policy != "" && len(tunnels) > 0 {
			part.Findings = append(part.Findings, drainKeepsTunnels(tunnels))
		}
		if p.frozen {
			outcome.Move(&part, model.PartKept)
		}
	}
	return part, p.frozen
}

// unknown says what of the node has to be known first.
func (p *nodePlanner) unknown(a *advertiser) *model.Finding {
	blocked := func(problem *model.Problem) *model.Finding {
		f := problem.In(model.Scope{Kind: model.ScopeNode})
		return &f
	}
	problem := p.node.Problem
	for i := 0; problem == nil && i < len(a.sources); i++ {
		problem = a.sources[i].missing(a, p.node)
	}
	switch {
	case problem != nil:
		return blocked(problem)
	case p.node.Hostname == "":
		return blocked(finding.HostnameLabelMissing())
	case len(p.sharedHostnames[p.node.Hostname]) > 0:
		return blocked(finding.HostnameLabelShared(p.sharedHostnames[p.node.Hostname], p.node.Hostname))
	case p.node.DPUHost:
		if problem := p.nextHopProblem(a); problem != nil {
			return blocked(problem)
		}
	}
	return nil
}

// hasHostSubnets reports whether each node owns a part of the network.
func (n *advertisedNetwork) hasHostSubnets() bool {
	return n.IsDefault() || n.Topology == model.TopologyLayer3
}

// templatesFor returns the advertiser's templates that apply to the node.
func (p *nodePlanner) templatesFor(a *advertiser) []*matchedTemplate {
	var out []*matchedTemplate
	for _, t := range a.templates {
		if t.NodeSelector.Matches(p.node.Labels) {
			out = append(out, t)
		}
	}
	return out
}

// nextHopUplink is the uplink whose addresses the neighbors of the target VRF
// get as next hops on a DPU host, "" for the default gateway router's.
func (a *advertiser) nextHopUplink(vrf string) string {
	for _, n := range a.networks {
		if n.VRF == vrf {
			return n.Uplink
		}
	}
	return ""
}

func (p *nodePlanner) nextHopProblem(a *advertiser) *model.Problem {
	for _, t := range p.templatesFor(a) {
		for _, r := range t.routers {
			uplink := a.nextHopUplink(r.VRF)
			if uplink == "" && p.node.NextHopsProblem != nil {
				return p.node.NextHopsProblem
			}
			if problem := p.node.UplinkProblems[uplink]; uplink != "" && problem != nil {
				return problem
			}
		}
	}
	return nil
}

func (p *nodePlanner) nextHops(a *advertiser, vrf string) []netip.Addr {
	if !p.node.DPUHost {
		return nil
	}
	if uplink := a.nextHopUplink(vrf); uplink != "" {
		return p.node.UplinkNextHops[uplink]
	}
	return p.node.NextHops
}
