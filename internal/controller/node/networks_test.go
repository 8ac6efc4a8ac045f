package node

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// The same failure on many nodes is one finding, which leaves the part in place.
func TestWhatIsNotPublishedIsTold(t *testing.T) {
	var told []model.Finding
	for _, node := range []string{"a", "worker-2"} {
		planned := parts(map[string]model.PartState{"pods": model.PartPlanned}, "pods")
		failure := apierrors.NewForbidden(schema.GroupResource{Group: "ovnbgp.io", Resource: "nodenetworks"}, node, errors.New("cannot patch"))
		got := unpublished(planned, fmt.Errorf("NodeNetworks %s: %w", node, failure))
		checkPart(t, &got[0], "pods", model.PartPlanned, "NodeNetworksNotWritten")
		if len(planned[0].Findings) > 0 {
			t.Error("the plan's own part was changed")
		}
		told = append(told, got[0].Findings...)
	}
	if told[0] != told[1] || told[0].Outcome != model.Retryable || !strings.HasSuffix(told[0].Message, "nodenetworks.ovnbgp.io of the node is forbidden: cannot patch") {
		t.Errorf("findings %+v", told)
	}
}

func TestWhatIsAdvertisedStaysBesideAKeptObject(t *testing.T) {
	tunnel := &v1alpha1.NodeNetworkEVPN{VTEP: "fabric"}
	published := v1alpha1.NodeNetworksSpec{
		VTEPs: []v1alpha1.NodeVTEP{{Name: "fabric", Allocated: []v1alpha1.IP{"100.64.0.1"}}},
		Networks: []v1alpha1.NodeNetwork{
			{Name: "blue", AdvertisedIn: []v1alpha1.VRFName{"default"}, PodVRFs: []v1alpha1.VRFName{"default"}},
			{Name: "evpn", EVPN: tunnel},
			{Name: "gone", AdvertisedIn: []v1alpha1.VRFName{"gone"}},
			{Name: "idle"},
		},
	}
	spec := v1alpha1.NodeNetworksSpec{
		VTEPs: []v1alpha1.NodeVTEP{{Name: "other"}},
		Networks: []v1alpha1.NodeNetwork{
			{Name: "blue", AdvertisedIn: []v1alpha1.VRFName{"blue"}, PodVRFs: []v1alpha1.VRFName{"blue"}, OwnVRFOnly: true},
			{Name: "evpn"}, {Name: "idle"}, {Name: "new"},
		},
	}
	keepAdvertised(&spec, &published)
	want := v1alpha1.NodeNetworksSpec{
		VTEPs: []v1alpha1.NodeVTEP{{Name: "fabric"}, {Name: "other"}},
		Networks: []v1alpha1.NodeNetwork{
			{Name: "blue", AdvertisedIn: []v1alpha1.VRFName{"blue", "default"}, PodVRFs: []v1alpha1.VRFName{"blue", "default"}},
			{Name: "evpn", EVPN: tunnel}, {Name: "idle"}, {Name: "new"},
		},
	}
	if !reflect.DeepEqual(spec, want) {
		t.Errorf("%+v, not %+v", spec, want)
	}
}
