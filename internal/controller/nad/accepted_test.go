package nad

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/plan"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

func withAccepted(value metav1.ConditionStatus, generation int64) *ovnv1.RouteAdvertisements {
	ra := &ovnv1.RouteAdvertisements{ObjectMeta: metav1.ObjectMeta{Name: "ra", Generation: 2}}
	if value != "" {
		ra.Status.Conditions = []metav1.Condition{{Type: status.Accepted, Status: value, ObservedGeneration: generation}}
	}
	return ra
}

func TestOnlyWhatIsAcceptedIsListed(t *testing.T) {
	for name, test := range map[string]struct {
		ra *ovnv1.RouteAdvertisements
		// listed is what becomes of one that is listed, unlisted of one that is not.
		listed, unlisted bool
		advertised       answer
	}{
		"new":                        {withAccepted("", 0), true, false, yes},
		"accepted":                   {withAccepted(metav1.ConditionTrue, 2), true, true, yes},
		"rejected":                   {withAccepted(metav1.ConditionFalse, 2), false, false, yes},
		"accepted before it changed": {withAccepted(metav1.ConditionTrue, 1), true, false, yes},
		"rejected before it changed": {withAccepted(metav1.ConditionFalse, 1), true, false, yes},
		"not known":                  {withAccepted(metav1.ConditionUnknown, 2), true, false, yes},

		"accepted, and nodes not planned yet": {withAccepted(metav1.ConditionTrue, 2), true, false, notKnown},
		"rejected, and nodes not planned yet": {withAccepted(metav1.ConditionFalse, 2), false, false, notKnown},
		"accepted, and on no node":            {withAccepted(metav1.ConditionTrue, 2), false, false, no},
		"new, and on no node":                 {withAccepted("", 0), false, false, no},
	} {
		if got := lists(test.ra, true, test.advertised); got != test.listed {
			t.Errorf("%s: one that is listed stays: %v, want %v", name, got, test.listed)
		}
		if got := lists(test.ra, false, test.advertised); got != test.unlisted {
			t.Errorf("%s: one that is not listed comes: %v, want %v", name, got, test.unlisted)
		}
	}
}

func TestThePlanSaysWhatIsAdvertised(t *testing.T) {
	const red = "cluster_udn_red"
	part := func(ra string, state model.PartState, networks ...string) []model.NodePart {
		return []model.NodePart{{RA: ra, State: state, PodNetworks: networks}}
	}
	revision := current.NewRevision(plan.Compile(&model.Cluster{RouteAdvertisements: []model.RouteAdvertisement{
		{Name: "pods", Advertisements: []model.Advertisement{model.AdvertisePodNetwork}},
		{Name: "egress", Advertisements: []model.Advertisement{model.AdvertiseEgressIP}},
		{Name: "both", Advertisements: []model.Advertisement{model.AdvertisePodNetwork, model.AdvertiseEgressIP}},
	}}), nil)
	for name, test := range map[string]struct {
		ra     string
		behind []string
		nodes  map[string][]model.NodePart
		want   answer
	}{
		"no node":                         {"pods", nil, nil, no},
		"none has it":                     {"pods", nil, map[string][]model.NodePart{"n1": part("pods", model.PartWritten, "other")}, no},
		"all hold it back":                {"pods", nil, map[string][]model.NodePart{"n1": part("pods", model.PartHeldBack)}, no},
		"one of two has it":               {"pods", nil, map[string][]model.NodePart{"n1": part("pods", model.PartIdle), "n2": part("pods", model.PartWritten, red)}, yes},
		"another object's":                {"pods", nil, map[string][]model.NodePart{"n1": part("both", model.PartWritten, red)}, no},
		"one keeps what was applied":      {"pods", nil, map[string][]model.NodePart{"n1": part("pods", model.PartKept), "n2": part("pods", model.PartIdle)}, notKnown},
		"one keeps, and would advertise":  {"pods", nil, map[string][]model.NodePart{"n1": part("pods", model.PartKept, red)}, notKnown},
		"one keeps, and another has it":   {"pods", nil, map[string][]model.NodePart{"n1": part("pods", model.PartKept), "n2": part("pods", model.PartFailed, red)}, yes},
		"one could not be written":        {"pods", nil, map[string][]model.NodePart{"n1": part("pods", model.PartRefused, red)}, notKnown},
		"one keeps another object's part": {"pods", nil, map[string][]model.NodePart{"n1": part("both", model.PartKept)}, no},

		"none is planned yet":                    {"pods", []string{"n1"}, nil, notKnown},
		"one is still to be planned":             {"pods", []string{"n2"}, map[string][]model.NodePart{"n1": part("pods", model.PartIdle)}, notKnown},
		"the last one is counted and not yet up": {"pods", []string{"n1"}, map[string][]model.NodePart{"n1": part("pods", model.PartWritten, red)}, yes},

		"egress IPs alone":              {"egress", nil, nil, yes},
		"egress IPs, but no pods of it": {"both", nil, map[string][]model.NodePart{"n1": part("both", model.PartWritten)}, no},
		"egress IPs, and pods as well":  {"both", nil, map[string][]model.NodePart{"n1": part("both", model.PartWritten, red)}, yes},
	} {
		r := &Reconciler{Rollout: &current.Rollout{}, Tallies: current.NewTallies()}
		r.Rollout.Replace(revision, test.behind)
		for node, parts := range test.nodes {
			r.Tallies.Set(node, parts)
		}
		if got := r.somewhere(revision, test.ra, red); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestTheAnnotationFollowsAccepted(t *testing.T) {
	accepted, rejected := withAccepted(metav1.ConditionTrue, 2), withAccepted(metav1.ConditionFalse, 2)
	reworded := rejected.DeepCopy()
	reworded.Status.Conditions[0].Message = "another"
	for name, test := range map[string]struct {
		before, after *ovnv1.RouteAdvertisements
		passes        bool
	}{
		"accepted at last": {withAccepted("", 0), accepted, true},
		"rejected":         {accepted, rejected, true},
		"reworded":         {rejected, reworded, false},
		"changed":          {accepted, withAccepted(metav1.ConditionTrue, 1), true},
	} {
		if got := acceptedChanges().Update(event.TypedUpdateEvent[*ovnv1.RouteAdvertisements]{ObjectOld: test.before, ObjectNew: test.after}); got != test.passes {
			t.Errorf("%s: passes %v", name, got)
		}
	}
}
