package snapshot

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

func claiming(name, annotation string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{ovnk.AnnotationNodeSubnets: annotation}}}
}

func TestDisputes(t *testing.T) {
	for name, test := range map[string]struct {
		nodes map[string]string
		want  map[string][]string
	}{
		"none": {nodes: map[string]string{"a": `{"default":"10.244.1.0/24","x":"10.1.1.0/24"}`, "b": `{"default":"10.244.2.0/24","y":"10.1.1.0/24"}`}},
		"the same": {
			nodes: map[string]string{"a": `{"x":["10.1.1.0/24","fd00::/64"]}`, "b": `{"x":["10.1.1.0/24","fd00:0:0:1::/64"]}`, "c": `{"x":"10.1.1.0/24"}`},
			want:  map[string][]string{"a": {"x 10.1.1.0/24 [b c]"}, "b": {"x 10.1.1.0/24 [a c]"}, "c": {"x 10.1.1.0/24 [a b]"}},
		},
		"host bits set": {
			nodes: map[string]string{"a": `{"default":"10.1.1.7/24"}`, "b": `{"default":"10.1.1.0/24"}`},
			want:  map[string][]string{"a": {"default 10.1.1.0/24 [b]"}, "b": {"default 10.1.1.0/24 [a]"}},
		},
		"around all others": {
			nodes: map[string]string{"a": `{"default":"0.0.0.0/0"}`, "b": `{"default":"10.244.2.0/24"}`, "c": `{"default":"10.244.3.0/24"}`},
			want:  map[string][]string{"a": {"default 0.0.0.0/0 [b c]"}},
		},
		"within another's": {
			nodes: map[string]string{"a": `{"default":"10.244.2.128/25"}`, "b": `{"default":"10.244.2.0/24"}`, "c": `{"default":"10.244.3.0/24"}`},
			want:  map[string][]string{"a": {"default 10.244.2.128/25 [b]"}},
		},
		"within another's, and nobody can tell": {
			nodes: map[string]string{"a": `{"default":"10.244.2.128/25"}`, "b": `{"default":"10.244.2.0/24"}`},
			want:  map[string][]string{"a": {"default 10.244.2.128/25 [b]"}, "b": {"default 10.244.2.0/24 [a]"}},
		},
		"its own twice":      {nodes: map[string]string{"a": `{"default":["10.244.2.0/24","10.244.2.0/24","10.244.2.0/25"]}`}},
		"what can't be read": {nodes: map[string]string{"a": `{"default":"10.244.2.0/24"`, "b": `{"default":"10.244.2.0/24"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			var nodes []corev1.Node
			for _, node := range slices.Sorted(maps.Keys(test.nodes)) {
				nodes = append(nodes, *claiming(node, test.nodes[node]))
			}
			got := map[string][]string{}
			for node, disputes := range claimsOf(nodes).Disputes() {
				for _, d := range disputes {
					got[node] = append(got[node], fmt.Sprint(d.Network, " ", d.Subnet, " ", d.Others))
				}
			}
			if test.want == nil {
				test.want = map[string][]string{}
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("disputes %v, want %v", got, test.want)
			}
		})
	}
}

// What is kept node by node is what all nodes at once would give, and every
// change of it is told.
func TestClaimsFollowNodes(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 4))
		claims, nodes := NewClaims(), map[string]*corev1.Node{}
		var before map[string][]model.Dispute
		for step := range 40 {
			name := fmt.Sprintf("node-%d", random.IntN(5))
			var told bool
			if random.IntN(4) == 0 {
				delete(nodes, name)
				told = claims.Forget(name)
			} else {
				subnet := func() string {
					return fmt.Sprintf(`"10.%d.%d.0/%d"`, random.IntN(2), random.IntN(3), 22+random.IntN(3))
				}
				nodes[name] = claiming(name, fmt.Sprintf(`{"default":[%s],"cluster_udn_blue":[%s,%s]}`, subnet(), subnet(), subnet()))
				told = claims.Note(nodes[name])
			}
			var all []corev1.Node
			for _, n := range nodes {
				all = append(all, *n)
			}
			want, got := claimsOf(all).Disputes(), claims.Disputes()
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, step %d: disputes %v, want %v", seed, step, got, want)
			}
			if !told && !reflect.DeepEqual(got, before) {
				t.Fatalf("seed %d, step %d: nobody is told that %v became %v", seed, step, before, got)
			}
			before = got
		}
		for name := range nodes {
			claims.Forget(name)
		}
		if len(claims.nodes)+len(claims.first)+len(claims.shared) > 0 {
			t.Fatalf("seed %d: something is left: %v", seed, claims)
		}
	}
}

// Most changes of most nodes are none of others' business.
func TestClaimsTellOnlyOfDisputes(t *testing.T) {
	claims := NewClaims()
	claims.Note(claiming("a", `{"default":"10.244.1.0/24"}`))
	for _, annotation := range []string{`{"default":"10.244.1.0/24","cluster_udn_blue":"10.1.1.0/24"}`, `{"default": "10.244.1.0/24"}`} {
		if claims.Note(claiming("a", annotation)) {
			t.Errorf("%s is told to everybody", annotation)
		}
	}
}

func TestClaimsKnowPartsOfTheDefaultNetwork(t *testing.T) {
	claims := NewClaims()
	for name, annotation := range map[string]string{
		"n1": `{"default":["10.244.1.0/24","fd00:1::/64"],"blue":["10.10.1.0/24"]}`,
		"n2": `{"blue":["10.10.2.0/24"]}`,
		"n3": `{"default":["10.244.3.0/24"]}`,
	} {
		claims.Note(claiming(name, annotation))
	}
	claims.Forget("n3")
	want := map[string][]netip.Prefix{"n1": {netip.MustParsePrefix("10.244.1.0/24"), netip.MustParsePrefix("fd00:1::/64")}}
	if got := claims.DefaultSubnets(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A tunnel endpoint is one node's, whatever VTEP it is of, and not known while the
// annotation can't be read.
func TestDisputesOfTunnelEndpoints(t *testing.T) {
	claims := NewClaims()
	note := func(name, vteps string) bool {
		n := claiming(name, `{"default":"10.244.`+name+`.0/24"}`)
		n.Annotations[ovnk.AnnotationVTEPs] = vteps
		return claims.Note(n)
	}
	of := func(node string) string { return fmt.Sprint(claims.Disputes()[node]) }
	note("1", `{"a":{"ips":["100.64.0.1","100.64.0.2"]}}`)
	note("2", `{"b":{"ips":["100.64.0.3"]}}`)
	if got := claims.Disputes(); len(got) > 0 {
		t.Fatalf("addresses that differ are disputed: %v", got)
	}
	if !note("2", `{"b":{"ips":["100.64.0.2"]}}`) || of("1") != "[{ 100.64.0.2/32 [2]}]" || of("2") != "[{ 100.64.0.2/32 [1]}]" {
		t.Errorf("1: %s, 2: %s", of("1"), of("2"))
	}
	if !note("2", "what?") || len(claims.Disputes()) > 0 {
		t.Errorf("what can't be read is disputed: %v", claims.Disputes())
	}
}
