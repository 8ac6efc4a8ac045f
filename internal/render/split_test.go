package render

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// star is n networks that leak with the default VRF, both ways.
func star(n int) *model.NodeConfig {
	center := model.Router{ASN: 64512, ID: "192.0.2.1"}
	config := &model.NodeConfig{Namespace: "frr-k8s-system"}
	for i := range n {
		vrf := fmt.Sprintf("net-%03d", i)
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 24)
		center.Routes = append(center.Routes, model.Route{Prefix: prefix})
		center.Imports = append(center.Imports, vrf)
		config.Routers = append(config.Routers, model.Router{ASN: 64512, VRF: vrf, Imports: []string{model.DefaultVRF}})
	}
	center.Neighbors = []model.Neighbor{{Session: model.Session{Address: "192.0.2.254", ASN: 64513}, Advertise: center.Routes}}
	config.Routers = slices.Insert(config.Routers, 0, center)
	return config
}

func isolated(n int) *model.NodeConfig {
	config := &model.NodeConfig{}
	for i := range n {
		config.Routers = append(config.Routers, model.Router{
			ASN: 64512, VRF: fmt.Sprintf("net-%03d", i), Routes: []model.Route{{Prefix: netip.MustParsePrefix("10.0.0.0/24")}},
		})
	}
	return config
}

func TestSplitUsesFewParts(t *testing.T) {
	tests := map[string]struct {
		config *model.NodeConfig
		want   []int
	}{
		"nothing":                         {&model.NodeConfig{}, nil},
		"at the limit":                    {star(49), []int{50}},
		"one past the limit":              {star(50), []int{50, 2}},
		"60 networks in the default VRF":  {star(60), []int{50, 12}},
		"200 networks in the default VRF": {star(200), []int{50, 50, 50, 50, 5}},
		"VRFs on their own":               {isolated(101), []int{50, 50, 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			parts := split(test.config)
			var got []int
			for _, p := range parts {
				got = append(got, len(p.routers))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("routers per part: got %v, want %v", got, test.want)
			}
			checkParts(t, test.config, parts)
		})
	}
}

// TestSplitKeepsTheWhole splits plans of random shapes: with and without hubs,
// imports one way and both ways, profiles named and not.
func TestSplitKeepsTheWhole(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		config := randomConfig(random)
		parts := split(config)
		if !t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			checkParts(t, config, parts)
			if again := split(config); !reflect.DeepEqual(parts, again) {
				t.Error("a second split of the same plan differs")
			}
		}) {
			return
		}
	}
}

func randomConfig(random *rand.Rand) *model.NodeConfig {
	config := &model.NodeConfig{}
	count := 51 + random.IntN(150)
	for i := range count {
		vrf := fmt.Sprintf("net-%03d", i)
		if i == 0 {
			vrf = ""
		}
		r := model.Router{ASN: 64512, ID: "192.0.2.1", VRF: vrf}
		for j := range random.IntN(3) {
			r.Routes = append(r.Routes, model.Route{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), byte(j), 0}), 24)})
		}
		for j := range random.IntN(3) {
			r.Neighbors = append(r.Neighbors, model.Neighbor{
				Session:   model.Session{Address: fmt.Sprintf("192.0.2.%d", j), BFDProfile: fmt.Sprintf("profile-%d", random.IntN(4))},
				Advertise: r.Routes,
			})
		}
		config.Routers = append(config.Routers, r)
	}
	hubs := 1 + random.IntN(4)
	for range random.IntN(3 * count) {
		a, b := random.IntN(hubs), random.IntN(count)
		if random.IntN(4) == 0 {
			a = random.IntN(count)
		}
		link(config, a, b)
		if random.IntN(3) > 0 {
			link(config, b, a)
		}
	}
	for i := range 5 {
		config.BFDProfiles = append(config.BFDProfiles, model.BFDProfile{Name: fmt.Sprintf("profile-%d", i)})
	}
	return config
}

func link(config *model.NodeConfig, from, to int) {
	vrf := cmp.Or(config.Routers[to].VRF, model.DefaultVRF)
	if i, found := slices.BinarySearch(config.Routers[from].Imports, vrf); from != to && !found {
		config.Routers[from].Imports = slices.Insert(config.Routers[from].Imports, i, vrf)
	}
}

// checkParts checks what frr-k8s checks of each part, and that together they
// say what the whole does, nothing twice.
func checkParts(t *testing.T, config *model.NodeConfig, parts []part) {
	t.Helper()
	merged := map[string]*model.Router{}
	pairHome := map[[2]string]int{}
	var profiles []model.BFDProfile
	for i, p := range parts {
		checkSelfContained(t, i, p)
		for _, r := range p.routers {
			whole := merged[r.VRF]
			if whole == nil {
				whole = &model.Router{ASN: r.ASN, ID: r.ID, VRF: r.VRF}
				merged[r.VRF] = whole
			}
			if r.ASN != whole.ASN || r.ID != whole.ID {
				t.Errorf("part %d: router %q has another ASN or ID than in another part", i, r.VRF)
			}
			whole.Routes = append(whole.Routes, r.Routes...)
			whole.Neighbors = append(whole.Neighbors, r.Neighbors...)
			for _, vrf := range r.Imports {
				pair := [2]string{min(vrf, cmp.Or(r.VRF, model.DefaultVRF)), max(vrf, cmp.Or(r.VRF, model.DefaultVRF))}
				if home, seen := pairHome[pair]; seen && home != i {
					t.Errorf("the imports between %s and %s are in parts %d and %d", pair[0], pair[1], home, i)
				}
				pairHome[pair] = i
				whole.Imports = append(whole.Imports, vrf)
			}
		}
		profiles = append(profiles, p.profiles...)
	}
	if len(merged) != len(config.Routers) {
		t.Errorf("%d routers in all parts, want %d", len(merged), len(config.Routers))
	}
	for _, want := range config.Routers {
		got := merged[want.VRF]
		if got == nil {
			t.Errorf("router %q is in no part", want.VRF)
			continue
		}
		slices.Sort(got.Imports)
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("router %q of all parts differs from the whole: %d prefixes, %d neighbors, imports %v, want %d, %d, %v", want.VRF,
				len(got.Routes), len(got.Neighbors), got.Imports, len(want.Routes), len(want.Neighbors), want.Imports)
		}
	}
	for _, want := range config.BFDProfiles {
		if !slices.Contains(profiles, want) {
			t.Errorf("BFD profile %q is in no part", want.Name)
		}
	}
}

func checkSelfContained(t *testing.T, index int, p part) {
	t.Helper()
	if len(p.routers) == 0 || len(p.routers) > maxRouters {
		t.Errorf("part %d has %d routers", index, len(p.routers))
	}
	present := map[string]bool{}
	for _, r := range p.routers {
		name := cmp.Or(r.VRF, model.DefaultVRF)
		if present[name] {
			t.Errorf("part %d has router %q twice", index, r.VRF)
		}
		present[name] = true
	}
	for _, r := range p.routers {
		for _, vrf := range r.Imports {
			if !present[vrf] {
				t.Errorf("part %d: router %q imports %s, which has no router in the part", index, r.VRF, vrf)
			}
		}
		for _, n := range r.Neighbors {
			if n.BFDProfile != "" && !slices.ContainsFunc(p.profiles, func(b model.BFDProfile) bool { return b.Name == n.BFDProfile }) {
				t.Errorf("part %d: neighbor %s names BFD profile %q, which is not in the part", index, n.Address, n.BFDProfile)
			}
		}
	}
}
