package webhook

import (
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestWarnsOfSharedNames(t *testing.T) {
	shared := template("other", 64512)
	shared.Spec.BGP.Routers[0].ID = "192.0.2.1"
	squatter := template("ovnbgp-node-0002", 64512)
	squatter.Labels = nil
	nobodys := template("ovnbgp-node-0009", 64512)
	nobodys.Labels = nil
	for name, test := range map[string]struct {
		object client.Object
		want   string
	}{
		"one router ID for all nodes":   {shared, "has the ID 192.0.2.1 on several nodes (node-0000, node-0001, node-0002)"},
		"the name of a node's object":   {squatter, "FRRConfiguration frr-k8s-system/ovnbgp-node-0002 is not the operator's but has the name that the operator needs"},
		"the name of nobody's object":   {nobodys, ""},
		"the name of the managed one":   {advertisement("ovnbgp-managed", true), "has the name that the operator needs"},
		"a template without router ID":  {template("other", 64512), ""},
		"an object with nothing to say": {advertisement("other", true), ""},
	} {
		t.Run(name, func(t *testing.T) {
			response := validator(cluster(3, 1)).Handle(FromAPIServer(t.Context()), created(t, test.object))
			got := strings.Join(response.Warnings, "\n")
			if !response.Allowed || test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("allowed %v with %q, want it allowed with %q", response.Allowed, got, test.want)
			}
		})
	}
}

// No node will ever have such a VRF, whatever else there is.
func TestDeniesVRFsThatNoDeviceCanBe(t *testing.T) {
	for vrf, want := range map[string]string{
		"vrf-of-the-extranet": "has 19 characters", "blue/red": "has a '/'", "blue red": "white space", "..": "folder", "all": "all devices",
	} {
		object := advertisement("a", true)
		object.Spec.TargetVRF = vrf
		response := validator(cluster(3, 1)).Handle(t.Context(), created(t, object))
		if response.Allowed || !strings.Contains(response.Result.Message, want) {
			t.Errorf("%q: %+v, want it denied with %q", vrf, response.Result, want)
		}
	}
	for _, vrf := range []string{"", "default", "auto", "Default", "a-15-byte-name."} {
		object := advertisement("a", true)
		object.Spec.TargetVRF = vrf
		if response := validator(cluster(3, 1)).Handle(t.Context(), created(t, object)); !response.Allowed {
			t.Errorf("%q: %+v, want it allowed", vrf, response.Result)
		}
	}
}
