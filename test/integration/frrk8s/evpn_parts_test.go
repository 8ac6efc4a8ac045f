package frrk8s_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"
)

// partSeeds are how many random plans are taken apart.
const partSeeds = 4

// A plan past both limits, of routers and of l2vnis, is written in parts of both kinds
// together, in whatever order, and each of them may be deleted first. Webhook and daemon
// look at all that is there after each step: a mark is in what the daemon writes only
// if it took the rest.
var _ = Describe("frr-k8s and the parts of random plans with EVPN", Ordered, func() {
	var frrk8s *judges
	BeforeAll(func(ctx context.Context) { frrk8s = startJudges(ctx, "node-1") })

	It("takes them in any order, and makes the same whole of them", func(ctx context.Context) {
		for seed := range uint64(partSeeds) {
			random := rand.New(rand.NewPCG(seed, 17))
			parts, vnis := randomParts(random)
			By(fmt.Sprintf("seed %d: %s", seed, describeParts(parts)))
			var whole string
			for range 2 {
				random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
				for i, part := range parts {
					Expect(admin.Create(ctx, part.DeepCopy())).To(Succeed(), "seed %d: %s after %v", seed, part.Name, namesOf(parts[:i]))
					By(fmt.Sprintf("written: %v", namesOf(parts[:i+1])))
					frrk8s.settle(ctx)
				}
				configured := frrk8s.withoutMark()
				for _, vni := range vnis {
					Expect(configured).To(MatchRegexp(`(?m)^\s*vni %d$`, vni), "seed %d", seed)
				}
				if whole == "" {
					whole = configured
				}
				Expect(configured).To(Equal(whole), "seed %d: written as %v", seed, namesOf(parts))

				random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
				for i, part := range parts {
					Expect(admin.Delete(ctx, part.DeepCopy())).To(Succeed())
					By(fmt.Sprintf("deleted: %v", namesOf(parts[:i+1])))
					frrk8s.settle(ctx)
				}
			}
		}
	}, SpecTimeout(5*time.Minute))
})

// withoutMark is what the daemon has FRR do, but for the mark.
func (j *judges) withoutMark() string {
	GinkgoHelper()
	text, err := j.configured()
	Expect(err).NotTo(HaveOccurred())
	return strings.ReplaceAll(text, j.mark.Spec.Raw.Config, "")
}

// randomParts renders a random plan of one node with more routers and more l2vnis than
// an object takes. Some networks leak with the default VRF, which is in several parts
// then. All vnis have to be told to FRR.
func randomParts(random *rand.Rand) (parts []*frrk8sv1beta1.FRRConfiguration, vnis []uint32) {
	GinkgoHelper()
	routers, targets := 51+random.IntN(60), 11+random.IntN(25)
	s := &model.Snapshot{}
	s.VTEPs = []model.VTEP{{Name: "vtep", CIDRs: []netip.Prefix{netip.MustParsePrefix("100.64.0.0/24")}}}
	s.RouteAdvertisements = []model.RouteAdvertisement{
		{Name: "evpn", TargetVRF: model.TargetVRFAuto, Advertisements: []model.Advertisement{model.AdvertisePodNetwork}, NetworkSelectors: labeled("evpn")},
		{Name: "leak", Advertisements: []model.Advertisement{model.AdvertisePodNetwork}, NetworkSelectors: labeled("leak")},
	}
	for i := range routers {
		n := randomTunneled(random, i, i < targets)
		s.Networks = append(s.Networks, n)
		vnis = append(vnis, n.EVPN.IPVRF.VNI)
		if n.EVPN.MACVRF.RouteTarget != "" {
			vnis = append(vnis, n.EVPN.MACVRF.VNI)
		}
	}
	for i := range random.IntN(40) {
		s.Networks = append(s.Networks, layer2("leak", 1000+i))
	}
	fast := model.BFDProfile{Name: "fast"}
	template := model.Template{Namespace: objects.FRRNamespace, Name: "tor", BFDProfiles: []model.BFDProfile{fast}, Routers: []model.TemplateRouter{{ASN: 64512}}}
	for i := range 1 + random.IntN(3) {
		template.Routers[0].Neighbors = append(template.Routers[0].Neighbors, model.Session{
			Address: fmt.Sprintf("192.0.2.%d", 1+i), ASN: 64512 + uint32(random.IntN(2)), BFDProfile: []string{"", fast.Name}[random.IntN(2)],
			AddressFamilies: [][]string{nil, {"evpn"}, {"unicast"}}[min(i, 1)*random.IntN(3)],
		})
	}
	s.Templates = []model.Template{template}
	node := model.Node{
		NodeSummary: model.NodeSummary{Name: "node-1", Hostname: "node-1", Labels: map[string]string{model.LabelHostname: "node-1"}},
		VTEPs:       map[string][]netip.Addr{"vtep": {netip.MustParseAddr("100.64.0.1")}},
	}
	s.Nodes, s.Hosts = []model.Node{node}, []model.NodeSummary{node.NodeSummary}
	built := plan.Build(s)
	parts = render.Node(&built.Nodes[0])
	Expect(len(parts)).To(BeNumerically(">", 2), "%+v", built.Verdicts)
	return parts, vnis
}

func labeled(key string) []model.Selector {
	return []model.Selector{{{Key: key, Operator: model.SelectorExists}}}
}

func layer2(label string, i int) model.Network {
	name := fmt.Sprintf("net-%03d", i)
	return model.Network{
		Name: "cluster_udn_" + name, CUDN: name, VRF: name, Primary: true, Topology: model.TopologyLayer2, Labels: map[string]string{label: ""},
		Subnets: []model.NetworkSubnet{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(16 + i/200), byte(i % 200), 0, 0}), 16)}},
	}
}

// randomTunneled is a network with both VRFs.
func randomTunneled(random *rand.Rand, i int, targeted bool) model.Network {
	out := layer2("evpn", i)
	out.Transport = model.TransportEVPN
	out.EVPN = &model.NetworkEVPN{VTEP: "vtep", MACVRF: &model.VPN{VNI: uint32(1000 + i)}, IPVRF: &model.VPN{VNI: uint32(2000 + i)}}
	if targeted {
		out.EVPN.MACVRF.RouteTarget = fmt.Sprintf("%s:%d", []string{"64512", "*"}[random.IntN(2)], 1000+i)
	}
	if random.IntN(2) == 0 {
		out.EVPN.IPVRF.RouteTarget = fmt.Sprintf("64512:%d", 2000+i)
	}
	return out
}

// describeParts counts routers and l2vnis by part.
func describeParts(parts []*frrk8sv1beta1.FRRConfiguration) string {
	var out []string
	for _, part := range parts {
		vnis := 0
		for i := range part.Spec.BGP.Routers {
			if evpn := part.Spec.BGP.Routers[i].EVPN; evpn != nil {
				vnis += len(evpn.L2VNIs)
			}
		}
		out = append(out, fmt.Sprintf("%d routers with %d l2vnis", len(part.Spec.BGP.Routers), vnis))
	}
	return strings.Join(out, ", ")
}
