package plan_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
)

func TestZZ(t *testing.T) {
	seed := uint64(7415)
	before, after := affectedSnapshot(seed), affectedSnapshot(seed)
	r := rand.New(rand.NewPCG(seed*31+7, 5))
	what, touched := changeOneThing(r, after)
	old, next := plan.Compile(&before.Cluster), plan.Compile(&after.Cluster)
	all, named := next.Affected(old)
	fmt.Println(what, touched, all, named, before.Disputes, after.Disputes)
	for i := range before.Nodes {
		n := &before.Nodes[i]
		around := randomSurroundings(rand.New(rand.NewPCG(seed, uint64(i))))
		a, b := plansOf(old, n, around), plansOf(next, n, around)
		if !reflect.DeepEqual(a, b) {
			for k := range a {
				fmt.Printf("%s\nA %+v\nB %+v\n", n.Name, a[k].Parts, b[k].Parts)
			}
		}
	}
	for _, ra := range after.RouteAdvertisements {
		fmt.Printf("%+v\n", ra)
	}
	for _, n := range after.Networks {
		fmt.Printf("%+v %+v\n", n, n.EVPN)
	}
}
