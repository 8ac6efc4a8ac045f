package verdict

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

func TestChangesOfStatuses(t *testing.T) {
	before := &ovnv1.RouteAdvertisements{
		ObjectMeta: metav1.ObjectMeta{Name: "ra", UID: "1", Generation: 1},
		Status:     ovnv1.RouteAdvertisementsStatus{Status: "Accepted", Conditions: []metav1.Condition{{Type: "Accepted"}}},
	}
	for name, test := range map[string]struct {
		change func(*ovnv1.RouteAdvertisements)
		passes bool
	}{
		"resync":    {func(*ovnv1.RouteAdvertisements) {}, false},
		"spec":      {func(ra *ovnv1.RouteAdvertisements) { ra.Generation++ }, false},
		"text":      {func(ra *ovnv1.RouteAdvertisements) { ra.Status.Status = "" }, true},
		"condition": {func(ra *ovnv1.RouteAdvertisements) { ra.Status.Conditions[0].Reason = "Other" }, true},
		"made anew": {func(ra *ovnv1.RouteAdvertisements) { ra.UID = "2" }, true},
	} {
		after := before.DeepCopy()
		test.change(after)
		e := event.TypedUpdateEvent[*ovnv1.RouteAdvertisements]{ObjectOld: before, ObjectNew: after}
		if got := statusChanges().Update(e); got != test.passes {
			t.Errorf("%s: passes %v, want %v", name, got, test.passes)
		}
	}
}
