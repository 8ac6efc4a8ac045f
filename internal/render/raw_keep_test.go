package render_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

func routes(prefixes ...string) []model.Route {
	out := make([]model.Route, 0, len(prefixes))
	for _, p := range prefixes {
		out = append(out, model.Route{Prefix: netip.MustParsePrefix(p)})
	}
	return out
}

func withMED(med uint32, routes []model.Route) []model.Route {
	routes = slices.Clone(routes)
	for i := range routes {
		routes[i].Attributes = routes[i].Attributes.With(model.MakeAttributes(model.AttributeValues{MED: &med}))
	}
	return routes
}

func tagged(routes []model.Route) []model.Route {
	routes = slices.Clone(routes)
	preference := uint32(200)
	for i := range routes {
		routes[i].Attributes = model.MakeAttributes(model.AttributeValues{
			Communities: []model.Community{{Parts: [3]uint32{64512, 1}}}, LocalPreference: &preference,
		})
	}
	return routes
}

// toTwo is a plan with two neighbors, of which the first gets its routes with attributes.
func toTwo(first, second []model.Route) *model.NodePlan {
	all := slices.Clone(first)
	for _, r := range second {
		if !slices.ContainsFunc(all, func(o model.Route) bool { return o.Prefix == r.Prefix }) {
			all = append(all, r)
		}
	}
	for i := range all {
		all[i].Attributes = model.Attributes{}
	}
	slices.SortFunc(all, func(a, b model.Route) int { return a.Prefix.Compare(b.Prefix) })
	neighbors := []model.Neighbor{
		{Session: model.Session{ASN: 64600, Address: "192.0.2.1", AddressFamilies: []string{"unicast"}}, Advertise: first},
		{Session: model.Session{ASN: 64600, Interface: "eth0", AddressFamilies: []string{"unicast"}}, Advertise: second},
	}
	neighbors[1].Extra.Passive = true
	return &model.NodePlan{Node: "n", Hostname: "n", Configs: []model.NodeConfig{{Namespace: "frr", Routers: []model.Router{{
		ASN: 64512, Routes: all, Neighbors: neighbors,
	}}}}}
}

func TestKeptRawTextIsFittedToThePlan(t *testing.T) {
	a, b, c := routes("10.0.0.0/24"), routes("10.0.1.0/24"), routes("2001:db8::/64")
	three := slices.Concat(a, b, c)
	before := render.Node(toTwo(withMED(50, tagged(three)), withMED(60, a)))
	text := before[0].Spec.Raw.Config
	typed := func(first, second []model.Route) *model.NodePlan {
		p := toTwo(tagged(first), second)
		p.Configs[0].Routers[0].Neighbors[1].Extra = model.SessionExtra{}
		return p
	}
	for name, test := range map[string]struct {
		plan *model.NodePlan
		// lost are the lines that are left out, and typed what the first neighbor gets by
		// frr-k8s itself.
		lost, typed []string
	}{
		"all of it stays where nothing else changed": {plan: typed(three, a)},
		"a new prefix is typed": {
			plan:  typed(slices.Concat(a, b, routes("10.0.2.0/24"), c), a),
			typed: []string{"10.0.2.0/24"},
		},
		"a prefix that is withdrawn is not permitted any more": {
			plan: typed(slices.Concat(a, c), a),
			lost: []string{"ip prefix-list ovnbgp-192.0.2.1-out-60000 seq 2 permit 10.0.1.0/24"},
		},
		"an entry for nothing is left out": {
			plan: typed(slices.Concat(a, b), a),
			lost: []string{
				"ipv6 prefix-list ovnbgp-192.0.2.1-out-60001 seq 1 permit 2001:db8::/64", "route-map 192.0.2.1-out permit 60001",
				" match ipv6 address prefix-list ovnbgp-192.0.2.1-out-60001", " set metric 50", " set local-preference 200", " set community 64512:1 additive", "exit",
			},
		},
		"a neighbor that is gone is left out": {
			plan: func() *model.NodePlan {
				p := typed(three, a)
				p.Configs[0].Routers[0].Neighbors = p.Configs[0].Routers[0].Neighbors[:1]
				return p
			}(),
			lost: []string{
				"ip prefix-list ovnbgp-eth0-out-60000 seq 1 permit 10.0.0.0/24", "route-map eth0-out permit 60000",
				" match ip address prefix-list ovnbgp-eth0-out-60000", " set metric 60", " neighbor eth0 passive", "exit",
			},
		},
		"a router with another AS number is left out": {
			plan: func() *model.NodePlan {
				p := typed(three, a)
				p.Configs[0].Routers[0].ASN = 64513
				return p
			}(),
			lost: []string{"router bgp 64512", " neighbor eth0 passive", "exit"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			objects := render.Node(test.plan)
			render.KeepRaw(objects, map[string]string{"frr": text, "elsewhere": text})
			got := objects[0].Spec.Raw.Config
			if lost := lines(text).without(lines(got)); !slices.Equal(lost, test.lost) {
				t.Errorf("left out\n%s\nof\n%s", strings.Join(lost, "\n"), text)
			}
			if len(test.lost) == 0 && got != text {
				t.Errorf("kept\n%s\nof\n%s", got, text)
			}
			if more := lines(got).without(lines(text)); len(more) > 0 {
				t.Errorf("made up\n%s", strings.Join(more, "\n"))
			}
			first := objects[0].Spec.BGP.Routers[0].Neighbors[0].ToAdvertise
			if !slices.Equal(first.Allowed.Prefixes, test.typed) {
				t.Errorf("frr-k8s permits %v, want %v", first.Allowed.Prefixes, test.typed)
			}
			for _, list := range attributed(&first) {
				if !slices.Equal(list, test.typed) {
					t.Errorf("frr-k8s gives attributes to %v, want %v", list, test.typed)
				}
			}
		})
	}
}

func attributed(a *frrk8sv1beta1.Advertise) [][]string {
	var out [][]string
	for _, p := range a.PrefixesWithLocalPref {
		out = append(out, p.Prefixes)
	}
	for _, p := range a.PrefixesWithCommunity {
		out = append(out, p.Prefixes)
	}
	return out
}

type textLines []string

// lines are those of a text, without its mark.
func lines(text string) textLines {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.Contains(line, render.RawMarkPrefix) {
			out = append(out, strings.TrimSuffix(line, "\n"))
		}
	}
	return out
}

// without takes each of the others away once.
func (l textLines) without(others textLines) []string {
	others = slices.Clone(others)
	var out []string
	for _, line := range l {
		if i := slices.Index(others, line); i >= 0 {
			others = slices.Delete(others, i, i+1)
			continue
		}
		out = append(out, line)
	}
	return out
}

func TestAMarkIsForOneText(t *testing.T) {
	text := func(p *model.NodePlan) string { return render.Node(p)[0].Spec.Raw.Config }
	one, other := text(toTwo(withMED(50, routes("10.0.0.0/24")), nil)), text(toTwo(withMED(51, routes("10.0.0.0/24")), nil))
	if mark := render.RawMark(one); mark == "" || mark == render.RawMark(other) || !strings.HasSuffix(one, "ip prefix-list "+mark+" seq 5 deny any\n") {
		t.Errorf("%s\n%s", one, other)
	}
	bare := toTwo(routes("10.0.0.0/24"), nil)
	bare.Configs[0].Routers[0].Neighbors = bare.Configs[0].Routers[0].Neighbors[:1]
	if got := text(bare); got != "" {
		t.Errorf("no raw text is needed: %s", got)
	}
}

func TestFormsAreWhatFRRTakesOrRefuses(t *testing.T) {
	forms := func(first, second []model.Route, change func(r *model.Router)) []uint64 {
		p := toTwo(first, second)
		if change != nil {
			change(&p.Configs[0].Routers[0])
		}
		return render.RawForms(render.Node(p)[0].Spec.Raw.Config)
	}
	base := forms(withMED(50, routes("10.0.0.0/24")), nil, nil)
	for name, same := range map[string][]uint64{
		"other prefixes": forms(withMED(50, routes("10.0.0.0/26", "10.9.0.0/24")), nil, nil),
		"more neighbors": forms(withMED(50, routes("10.0.0.0/24")), withMED(50, routes("10.0.1.0/24")), nil),
		"other neighbors": forms(withMED(50, routes("10.0.0.0/24")), nil, func(r *model.Router) {
			r.Neighbors[0].Address, r.Neighbors[1].Interface, r.ASN = "198.51.100.1", "eth1", 64999
		}),
	} {
		if !slices.Equal(base, same) {
			t.Errorf("%s make other forms", name)
		}
	}
	for name, other := range map[string][]uint64{
		"another MED": forms(withMED(51, routes("10.0.0.0/24")), nil, nil),
		"IPv6":        forms(withMED(50, routes("2001:db8::/64")), nil, nil),
		"communities": forms(withMED(50, tagged(routes("10.0.0.0/24"))), nil, nil),
		"less of a session": forms(withMED(50, routes("10.0.0.0/24")), nil, func(r *model.Router) {
			r.Neighbors[1].Extra = model.SessionExtra{}
		}),
		"a VRF": forms(withMED(50, routes("10.0.0.0/24")), nil, func(r *model.Router) { r.VRF = "blue" }),
	} {
		if slices.Equal(base, other) {
			t.Errorf("%s make no other forms", name)
		}
	}
	blue, red := func(r *model.Router) { r.VRF = "blue" }, func(r *model.Router) { r.VRF = "red" }
	if !slices.Equal(forms(withMED(50, routes("10.0.0.0/24")), nil, blue), forms(withMED(50, routes("10.0.0.0/24")), nil, red)) {
		t.Error("another VRF makes other forms")
	}
}
