package main

import (
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

func advertises(name string, conditions ...metav1.Condition) ovnv1.RouteAdvertisements {
	ra := ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 2}}
	ra.Status.Conditions = conditions
	return ra
}

func TestDescribeShowsOnlyWhatIsNew(t *testing.T) {
	before := state{objects: []ovnv1.RouteAdvertisements{advertises("old")}}
	before.add("n1", &frrk8sv1beta1.Router{
		Neighbors: []frrk8sv1beta1.Neighbor{{
			Address:     "192.0.2.1",
			ToAdvertise: frrk8sv1beta1.Advertise{Allowed: frrk8sv1beta1.AllowedOutPrefixes{Prefixes: []string{"10.0.0.0/24"}}},
		}},
	})
	now := state{
		objects:        append(before.objects, advertises("new", metav1.Condition{Type: "Accepted", Status: "True", Message: "fine"})),
		advertisements: before.advertisements,
	}
	now.add("n1", &frrk8sv1beta1.Router{
		VRF:     "blue",
		Imports: []frrk8sv1beta1.Import{{VRF: "default"}},
		Neighbors: []frrk8sv1beta1.Neighbor{{
			Interface:   "eth1",
			ToAdvertise: frrk8sv1beta1.Advertise{Allowed: frrk8sv1beta1.AllowedOutPrefixes{Prefixes: []string{"10.0.1.0/24"}}},
		}},
	})
	want := `
   RouteAdvertisements new
     Accepted True: fine

     NODE   VRF    ADVERTISES    TO NEIGHBOR
     n1     blue   10.0.1.0/24   eth1

     NODE   VRF    IMPORTS FROM
     n1     blue   default
`
	if got := now.describe(before); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestAStoryIsNotToldUntilAllIsAsExpected(t *testing.T) {
	accepted := metav1.Condition{Type: "Accepted", Status: "True", ObservedGeneration: 2}
	rendered := metav1.Condition{Type: "Rendered", Status: "True", ObservedGeneration: 2}
	acceptedOnce := metav1.Condition{Type: "Accepted", Status: "True", ObservedGeneration: 1}
	renderedInPart := metav1.Condition{Type: "Rendered", Status: "False", ObservedGeneration: 2}
	row := advertisement{"n1", "default", "10.0.0.0/24", "192.0.2.1"}
	other := advertisement{"n2", "default", "10.0.1.0/24", "192.0.2.1"}
	for name, test := range map[string]struct {
		now  state
		want string
	}{
		"as expected":           {state{objects: []ovnv1.RouteAdvertisements{advertises("a", accepted, rendered)}, advertisements: []advertisement{row}}, ""},
		"accepted once":         {state{objects: []ovnv1.RouteAdvertisements{advertises("a", acceptedOnce, rendered)}, advertisements: []advertisement{row}}, "not Accepted at its current generation"},
		"rendered in part":      {state{objects: []ovnv1.RouteAdvertisements{advertises("a", accepted, renderedInPart)}, advertisements: []advertisement{row}}, "not Rendered at"},
		"without any condition": {state{objects: []ovnv1.RouteAdvertisements{advertises("a")}, advertisements: []advertisement{row}}, "not Accepted"},
		"too little":            {state{}, "not advertised: 10.0.0.0/24"},
		"too much":              {state{advertisements: []advertisement{row, other}}, "should not be: 10.0.1.0/24"},
		"leaked":                {state{advertisements: []advertisement{row}, imports: []vrfImport{{"n1", "default", "blue"}}}, "should not be: VRF blue into"},
	} {
		told := story{adds: []advertisement{row}}
		got := strings.Join(told.differences(test.now, state{}), "\n")
		if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: differences are %q, want %q", name, got, test.want)
		}
	}
}
