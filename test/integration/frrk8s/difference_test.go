package frrk8s_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"
)

// differences is for how long random objects are judged beyond the seeds that
// always are: go test ./test/integration/frrk8s -differences=1h -timeout=2h
// -ginkgo.focus=judges
var differences = flag.Duration("differences", 0, "for how long to compare random objects with frr-k8s' webhook and daemon")

// seeds are those that CI judges.
const seeds = 150

// progressEvery is how often a long run prints its count, so that one which is
// stopped has told something, too.
const progressEvery = 5 * time.Minute

// Where the planner has nothing to say against a template beside somebody else's
// object, frr-k8s has to take both, and what is generated.
var _ = Describe("The planner", Ordered, func() {
	var frrk8s *judges
	BeforeAll(func(ctx context.Context) { frrk8s = startJudges(ctx, "node-1") })

	It("judges templates as frr-k8s' webhook and daemon do", func(ctx context.Context) {
		var tried, taken, told, cautious int
		started, printed := time.Now(), time.Now()
		until := started.Add(*differences)
		for seed := uint64(0); seed < seeds || time.Now().Before(until); seed++ {
			random := rand.New(rand.NewPCG(seed, 11))
			foreign, template := randomConfiguration(random, "metallb"), randomConfiguration(random, "template")
			template.Labels = objects.Template("", 0).Labels
			findings, generated := judge(foreign, template)
			refusal := frrk8s.ask(ctx, append([]*frrk8sv1beta1.FRRConfiguration{foreign, template}, generated...)...)
			tried++
			if time.Since(printed) > progressEvery {
				printed = time.Now()
				fmt.Printf("differences: so far, after %v: %d pairs of objects: %d taken, %d refused and told before, %d told and taken all the same, 0 refused and not told\n",
					time.Since(started).Round(time.Second), tried, taken, told, cautious)
			}
			switch {
			case refusal == nil && len(findings) == 0:
				taken++
			case refusal != nil && len(findings) > 0:
				told++
			case refusal == nil:
				cautious++
			default:
				text, _ := yaml.Marshal([]any{foreign.Spec.BGP, template.Spec.BGP, generated})
				Fail(fmt.Sprintf("seed %d: the planner has nothing against it, and frr-k8s says: %v\n%s", seed, refusal, text))
			}
		}
		fmt.Printf("differences: %d pairs of objects: %d taken, %d refused and told before, %d told and taken all the same, 0 refused and not told\n",
			tried, taken, told, cautious)
		Expect(taken).To(BeNumerically(">", tried/10), "the objects are too wild to tell anything")
		Expect(told).To(BeNumerically(">", tried/10), "the objects are too tame to tell anything")
	}, SpecTimeout(3*time.Hour))
})

// judge plans with both objects and returns all that blocks something, and what
// is generated.
func judge(foreign, template *frrk8sv1beta1.FRRConfiguration) (blocking []model.Finding, generated []*frrk8sv1beta1.FRRConfiguration) {
	objs := &snapshot.Objects{
		Nodes:               []corev1.Node{*objects.Node(1)},
		FRRConfigurations:   []frrk8sv1beta1.FRRConfiguration{*foreign, *template},
		RouteAdvertisements: []ovnv1.RouteAdvertisements{*objects.Advertisement("pods")},
	}
	built := plan.Build(snapshot.Snapshot(objs, model.Settings{}))
	for i := range built.Nodes {
		generated = append(generated, render.Node(&built.Nodes[i])...)
		for _, part := range built.Nodes[i].Parts {
			blocking = append(blocking, part.Findings...)
		}
	}
	for i := range built.Verdicts {
		blocking = append(blocking, built.Verdicts[i].Findings...)
	}
	return slices.DeleteFunc(blocking, func(f model.Finding) bool { return !f.Blocks() && f.Reason != "NeighborNotUnicast" }), generated
}

// randomConfiguration is what somebody may write for the node: mostly right, as
// people's are.
func randomConfiguration(random *rand.Rand, name string) *frrk8sv1beta1.FRRConfiguration {
	rarely := func() bool { return random.IntN(25) == 0 }
	router := frrk8sv1beta1.Router{ASN: 64512}
	if rarely() {
		router.ASN = 64600
	}
	if random.IntN(8) == 0 {
		router.ID = fmt.Sprintf("192.0.2.%d", 1+random.IntN(2))
	}
	for _, prefix := range []string{"198.51.100.0/24", "2001:db8:5::/48", "10.244.1.0/24"} {
		if random.IntN(3) == 0 {
			router.Prefixes = append(router.Prefixes, prefix)
		}
	}
	if rarely() {
		router.Imports = []frrk8sv1beta1.Import{{VRF: "blue"}}
	}
	out := configuration(name)
	addresses := []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:DB8::1"}
	random.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	for _, address := range addresses[:1+random.IntN(2)] {
		router.Neighbors = append(router.Neighbors, randomNeighbor(random, address, router.Prefixes))
	}
	if rarely() {
		// The same neighbor twice.
		again := router.Neighbors[0]
		router.Neighbors = append(router.Neighbors, randomNeighbor(random, again.Address, router.Prefixes))
	}
	if random.IntN(6) == 0 {
		detect := uint32(3 + random.IntN(2))
		out.Spec.BGP.BFDProfiles = []frrk8sv1beta1.BFDProfile{{Name: "fast", DetectMultiplier: &detect}}
		router.Neighbors[0].BFDProfile = "fast"
	} else if rarely() {
		router.Neighbors[0].BFDProfile = "missing"
	}
	if len(router.Prefixes) > 0 && random.IntN(4) == 0 {
		preferring := &router.Neighbors[0].ToAdvertise
		preferring.Allowed = frrk8sv1beta1.AllowedOutPrefixes{Mode: frrk8sv1beta1.AllowAll}
		preferring.PrefixesWithLocalPref = []frrk8sv1beta1.LocalPrefPrefixes{{LocalPref: uint32(100 + random.IntN(2)), Prefixes: router.Prefixes[:1]}}
	}
	if random.IntN(10) == 0 {
		router.EVPN = randomEVPN(random)
		router.Neighbors[0].AddressFamilies = []frrk8sv1beta1.AddressFamily{frrk8sv1beta1.AddressFamilyUnicast, frrk8sv1beta1.AddressFamilyEVPN}
	}
	out.Spec.BGP.Routers = []frrk8sv1beta1.Router{router}
	if random.IntN(15) == 0 {
		out.Spec.BGP.Routers = append(out.Spec.BGP.Routers, frrk8sv1beta1.Router{ASN: 64512, VRF: "red", EVPN: randomEVPN(random)})
	}
	if rarely() {
		again := router
		again.Neighbors = nil
		again.ASN = []uint32{64512, 64600}[random.IntN(2)]
		out.Spec.BGP.Routers = append(out.Spec.BGP.Routers, again)
	}
	if len(router.Imports) > 0 && random.IntN(2) == 0 {
		out.Spec.BGP.Routers = append(out.Spec.BGP.Routers, frrk8sv1beta1.Router{ASN: router.ASN, VRF: "blue", Prefixes: []string{"203.0.113.0/24"}})
	}
	return out
}

func randomEVPN(random *rand.Rand) *frrk8sv1beta1.EVPNConfig {
	number := func() uint32 { return uint32(100 + random.IntN(3)) }
	properties := func() (out frrk8sv1beta1.VNIProperties) {
		if random.IntN(8) == 0 {
			out.RD = frrk8sv1beta1.RouteDistinguisher(fmt.Sprintf("64512:%d", random.IntN(2)))
		}
		if random.IntN(8) == 0 {
			out.ImportRTs = []frrk8sv1beta1.ImportRouteTarget{"64512:1"}
		}
		return out
	}
	out := &frrk8sv1beta1.EVPNConfig{}
	if random.IntN(3) == 0 {
		all := frrk8sv1beta1.VNIAdvertisementAll
		out.AdvertiseVNIs = &all
	}
	if random.IntN(2) == 0 {
		out.L2VNIs = []frrk8sv1beta1.L2VNI{{VNI: number(), VNIProperties: properties()}}
	}
	if random.IntN(4) == 0 {
		out.L3VNI = &frrk8sv1beta1.L3VNI{VNI: number(), VNIProperties: properties(), AdvertisePrefixes: []frrk8sv1beta1.AdvertisePrefixType{"unicast"}}
	}
	return out
}

func randomNeighbor(random *rand.Rand, address string, prefixes []string) frrk8sv1beta1.Neighbor {
	rarely := func() bool { return random.IntN(70) == 0 }
	seconds := func() *metav1.Duration {
		return &metav1.Duration{Duration: time.Duration([]int{0, 1, 2, 3, 10, 30, 60, 90, 180}[random.IntN(9)]) * time.Second}
	}
	n := frrk8sv1beta1.Neighbor{Address: address, ASN: 64513}
	for _, change := range []func(){
		func() { n.ASN = 64512 },
		func() { n.Address, n.Interface = "", "eth1" },
		func() { n.Address += "%eth1" },
		func() { n.DualStackAddressFamily = true },
		func() { n.AddressFamilies = []frrk8sv1beta1.AddressFamily{frrk8sv1beta1.AddressFamilyEVPN} },
		func() {
			n.AddressFamilies = []frrk8sv1beta1.AddressFamily{frrk8sv1beta1.AddressFamilyEVPN, frrk8sv1beta1.AddressFamilyUnicast}
		},
		func() { n.HoldTime, n.KeepaliveTime = &metav1.Duration{Duration: 2500 * time.Millisecond}, seconds() },
		func() { n.ASN, n.DynamicASN = 0, frrk8sv1beta1.ExternalASNMode },
		func() { n.DynamicASN = frrk8sv1beta1.InternalASNMode },
		func() { n.LocalASN = 65010 },
		func() { port := uint16(179 + random.IntN(2)); n.Port = &port },
		func() { n.SourceAddress = "192.0.2.100" },
		func() { n.Password = "secret" },
		func() { n.PasswordSecret = frrk8sv1beta1.SecretReference{Name: "s", Namespace: objects.FRRNamespace} },
		func() { n.HoldTime, n.KeepaliveTime = seconds(), seconds() },
		func() { n.HoldTime = seconds() },
		func() { n.KeepaliveTime = seconds() },
		func() { n.ConnectTime = &metav1.Duration{Duration: time.Duration(10+50*random.IntN(2)) * time.Second} },
		func() { n.EBGPMultiHop = true },
		func() { n.EnableGracefulRestart = true },
		func() { n.AllowAsIn = []frrk8sv1beta1.AllowAsInMode{"none", "origin", "1", "10"}[random.IntN(4)] },
		func() { n.ToAdvertise.NextHop.IPv4 = "192.0.2.9" },
		func() { n.ToAdvertise.NextHop.IPv6 = "2001:db8::9" },
		func() { n.ToAdvertise.Allowed.Mode = frrk8sv1beta1.AllowAll },
		func() { n.ToAdvertise.Allowed.Prefixes = prefixes },
		func() { n.ToAdvertise.Allowed.Prefixes = []string{"10.244.1.0/24"} },
		func() {
			n.ToAdvertise.PrefixesWithLocalPref = []frrk8sv1beta1.LocalPrefPrefixes{{LocalPref: uint32(100 + random.IntN(2)), Prefixes: prefixes}}
		},
		func() {
			n.ToAdvertise.PrefixesWithCommunity = []frrk8sv1beta1.CommunityPrefixes{{
				Community: []string{"64512:1", "large:64512:1:2", "064512:1", "blue", "70000:1"}[random.IntN(5)], Prefixes: prefixes}}
		},
		func() {
			n.ToReceive.Allowed.Prefixes = []frrk8sv1beta1.PrefixSelector{{Prefix: "10.0.0.0/8", GE: uint32(random.IntN(33)), LE: uint32(random.IntN(33))}}
		},
		func() { n.ToReceive.Allowed.Mode = frrk8sv1beta1.AllowAll },
	} {
		if rarely() {
			change()
		}
	}
	return n
}
