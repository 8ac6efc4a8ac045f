package plan_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/scale"
)

// TestAffected shows that the cost of a change follows the change.
func TestAffected(t *testing.T) {
	perNode := func(host string) model.Template {
		return model.Template{
			Namespace: "frr-k8s-system", Name: "metallb-" + host,
			NodeSelector: model.Selector{{Key: model.LabelHostname, Operator: model.SelectorIn, Values: []string{host}}},
			Routers:      []model.TemplateRouter{{ASN: 64512}},
		}
	}
	// withSecond adds another FRRConfiguration of a node, with this label.
	withSecond := func(fabric string) func(*model.Cluster) {
		return func(c *model.Cluster) {
			second := perNode("node-00002")
			second.Labels, second.Routers = map[string]string{"fabric": fabric, model.LabelName: second.Name}, c.Templates[0].Routers
			c.Templates = append(c.Templates, second)
		}
	}
	egress := func(c *model.Cluster, address string) {
		c.RouteAdvertisements[0].Advertisements = []model.Advertisement{model.AdvertiseEgressIP}
		c.Namespaces = []model.Namespace{{Name: "payments"}}
		c.EgressIPs = []model.EgressIP{{Name: "payments", Assignments: []model.EgressAssignment{
			{Node: "node-00001", Address: netip.MustParseAddr(address)},
			{Node: "node-00002", Address: netip.MustParseAddr("192.0.2.102")},
		}}}
	}
	policy := func(rules ...model.PolicyRule) func(*model.Cluster) {
		return func(c *model.Cluster) {
			c.Policies = []model.RoutePolicy{{Name: "policy", Targets: []string{c.RouteAdvertisements[0].Name}, Rules: rules}}
		}
	}
	// suppress is a rule for one node, or for all of them.
	suppress := func(nodes ...string) model.PolicyRule {
		rule := model.PolicyRule{Suppress: true}
		if len(nodes) > 0 {
			rule.Match.Nodes = model.Selector{{Key: model.LabelHostname, Operator: model.SelectorIn, Values: nodes}}
		}
		return rule
	}
	for _, test := range []struct {
		name   string
		before func(*model.Cluster)
		after  func(*model.Cluster)
		all    bool
		nodes  []string
	}{
		{name: "nothing"},
		{name: "a network's labels", after: func(c *model.Cluster) { c.Networks[1].Labels = nil }, all: true},
		{name: "a RouteAdvertisements object", after: func(c *model.Cluster) { c.RouteAdvertisements[0].TargetVRF = "red" }, all: true},
		{name: "the template of all nodes", after: func(c *model.Cluster) { c.Templates[0].Routers[0].ASN++ }, all: false,
			nodes: []string{"node-00000", "node-00001", "node-00002", "node-00003"}},
		{name: "one node's object of MetalLB appears", after: func(c *model.Cluster) { c.Templates = append(c.Templates, perNode("node-00002")) },
			nodes: []string{"node-00002"}},
		{name: "one node's object of MetalLB moves", before: func(c *model.Cluster) { c.Templates = append(c.Templates, perNode("node-00002")) },
			after: func(c *model.Cluster) {
				moved := perNode("node-00003")
				moved.Name = "metallb-node-00002"
				c.Templates = append(c.Templates, moved)
			},
			nodes: []string{"node-00002", "node-00003"}},
		{name: "an egress IP", before: func(c *model.Cluster) { egress(c, "192.0.2.101") }, after: func(c *model.Cluster) { egress(c, "192.0.2.103") },
			nodes: []string{"node-00001"}},
		{name: "a shared hostname", after: func(c *model.Cluster) { c.Hosts[3].Hostname = "node-00000" },
			nodes: []string{"node-00000", "node-00003"}},
		{name: "a subnet that two nodes claim", after: func(c *model.Cluster) {
			c.Disputes = map[string][]model.Dispute{"node-00001": {{Network: "default", Others: []string{"node-00002"}}}, "node-00002": {{Network: "default", Others: []string{"node-00001"}}}}
		}, nodes: []string{"node-00001", "node-00002"}},
		{name: "an object leaves a template that another one keeps", before: withSecond("tor"), after: func(c *model.Cluster) {
			withSecond("tor")(c)
			c.RouteAdvertisements[0].TemplateSelector = model.Selector{{Key: model.LabelName, Operator: model.SelectorIn, Values: []string{"fabric"}}}
		}, nodes: []string{"node-00002"}},
		{name: "an object of another node takes a template", before: withSecond("other"), after: func(c *model.Cluster) {
			withSecond("other")(c)
			added := c.RouteAdvertisements[0]
			added.Name, added.Advertisements = "egress", []model.Advertisement{model.AdvertiseEgressIP}
			added.NodeSelector = model.Selector{{Key: model.LabelHostname, Operator: model.SelectorIn, Values: []string{"node-00001"}}}
			added.TemplateSelector = model.Selector{{Key: "fabric", Operator: model.SelectorIn, Values: []string{"other"}}}
			c.RouteAdvertisements = append(c.RouteAdvertisements, added)
		}, nodes: []string{"node-00001", "node-00002"}},
		{name: "a policy for a node", after: policy(suppress("node-00001")), nodes: []string{"node-00001"}},
		{name: "a policy goes", before: policy(suppress("node-00001")), nodes: []string{"node-00001"}},
		{name: "a policy for all nodes", after: policy(suppress()), nodes: []string{"node-00000", "node-00001", "node-00002", "node-00003"}},
		{name: "a rule comes last", before: policy(suppress()), after: policy(suppress(), suppress("node-00002")), nodes: []string{"node-00002"}},
		{name: "a rule moves to another node", before: policy(suppress("node-00003"), suppress("node-00001")), after: policy(suppress("node-00003"), suppress("node-00002")),
			nodes: []string{"node-00001", "node-00002"}},
		{name: "a policy that changes nothing but its generation", before: policy(suppress()), after: func(c *model.Cluster) {
			policy(suppress())(c)
			c.Policies[0].Generation++
		}},
		{name: "a policy for an object that isn't there", after: func(c *model.Cluster) {
			policy(suppress())(c)
			c.Policies[0].Targets = []string{"another"}
		}},
		{name: "a node's address that another's part covers", after: func(c *model.Cluster) {
			c.Hosts[3].Addresses = []netip.Addr{c.DefaultSubnets["node-00001"][0].Addr().Next()}
		}, nodes: []string{"node-00001"}},
		{name: "a node's address where nobody knows the parts", after: func(c *model.Cluster) {
			c.Hosts[3].Addresses, c.DefaultSubnets = []netip.Addr{netip.MustParseAddr("192.0.2.77")}, nil
		}, all: true},
		{name: "a node's address outside of all networks", after: func(c *model.Cluster) { c.Hosts[3].Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.77")} }},
		{name: "a node's address within a network", after: func(c *model.Cluster) {
			c.Hosts[3].Addresses = []netip.Addr{c.Networks[1].Subnets[0].Prefix.Addr().Next()}
		}, all: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			compile := func(mutate func(*model.Cluster)) *plan.Compiled {
				c := scale.Snapshot(4, 2).Cluster
				if mutate != nil {
					mutate(&c)
				}
				return plan.Compile(&c)
			}
			all, nodes := compile(test.after).Affected(compile(test.before))
			if all != test.all || !slices.Equal(nodes, test.nodes) {
				t.Errorf("affected: all=%v %v, want all=%v %v", all, nodes, test.all, test.nodes)
			}
		})
	}
	if all, _ := plan.Compile(&model.Cluster{}).Affected(nil); !all {
		t.Error("at the start, all nodes are affected")
	}
}
