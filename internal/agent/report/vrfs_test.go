package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
)

var (
	fine    = vrfs.State{Network: "cluster_udn_blue", VRF: "blue", Table: 1005, Ours: true}
	taken   = vrfs.State{Network: "cluster_udn_red", VRF: "red", Reason: vrfs.ReasonNameTaken, Problem: "there is a device red; rename it"}
	unknown = vrfs.State{Network: "cluster_udn_grey", Reason: vrfs.ReasonNetworkUnknown, Problem: "not known yet"}
)

func managed(leftover string, states ...vrfs.State) *Devices {
	return &Devices{Managed: true, Known: true, States: states, Leftover: leftover}
}

func condition(conditions []metav1.Condition) string {
	c := meta.FindStatusCondition(conditions, "VRFReady")
	if c == nil {
		return "none"
	}
	return fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
}

func ofNetwork(status *v1alpha1.NodeRouteStateStatus, name string) []metav1.Condition {
	i := slices.IndexFunc(status.Networks, func(n v1alpha1.NetworkRouteState) bool { return n.Name == name })
	if i < 0 {
		return nil
	}
	return status.Networks[i].Conditions
}

func TestStatusTellsOfVRFs(t *testing.T) {
	imported := []agent.NetworkState{{Network: "cluster_udn_blue", Reason: agent.ReasonSynced}, {Network: "default", Reason: agent.ReasonSynced}}
	for _, test := range []struct {
		name    string
		devices *Devices
		node    string
		// networks by name: what their condition begins with.
		networks map[string]string
	}{
		{"not managed", &Devices{}, "none", map[string]string{"cluster_udn_blue": "none"}},
		{"not looked yet", &Devices{Managed: true}, "none", map[string]string{"cluster_udn_blue": "none"}},
		{"all well", managed("", fine), "True Ready: the VRFs of all 1 networks", map[string]string{
			"cluster_udn_blue": "True Ready: VRF device blue (table 1005, created by this agent) is set up correctly", "default": "none"}},
		{"one is not known, one is amiss", managed("", fine, unknown, taken), "False NameTaken: the VRFs of 2 of 3 networks", map[string]string{
			"cluster_udn_blue": "True", "cluster_udn_red": "False NameTaken: there is a device red; rename it", "cluster_udn_grey": "Unknown NetworkUnknown: not known yet"}},
		{"one is not known", managed("", unknown), "Unknown NetworkUnknown", map[string]string{"cluster_udn_grey": "Unknown"}},
		{"something is left", managed("cannot delete VRF device gone", fine), "False KernelRefused: the VRFs of all 1 networks are set up correctly; leftovers of a deleted network could not be removed: cannot delete VRF device gone",
			map[string]string{"cluster_udn_blue": "True"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Status(&Seen{States: imported, Devices: *test.devices}, &v1alpha1.NodeRouteStateStatus{}, time.Now())
			if c := condition(got.Conditions); !strings.HasPrefix(c, test.node) {
				t.Errorf("the node's is %q, want %q", c, test.node)
			}
			for name, want := range test.networks {
				if c := condition(ofNetwork(&got, name)); !strings.HasPrefix(c, want) {
					t.Errorf("that of %s is %q, want %q", name, c, want)
				}
			}
		})
	}
}

// A network without a VRF has no routes, but has to be found in the object.
func TestNetworksWithoutVRFAreTold(t *testing.T) {
	got := Status(&Seen{States: []agent.NetworkState{{Network: "default", Reason: agent.ReasonSynced}}, Devices: *managed("", taken)}, &v1alpha1.NodeRouteStateStatus{}, time.Now())
	red := ofNetwork(&got, "cluster_udn_red")
	if c := meta.FindStatusCondition(red, v1alpha1.ConditionSynced); c == nil || c.Reason != agent.ReasonVRFMissing || got.NetworkCount != 2 {
		t.Errorf("%+v", got)
	}
}

func TestVRFReadyGoes(t *testing.T) {
	imported := []agent.NetworkState{{Network: "cluster_udn_red", Reason: agent.ReasonSynced}}
	troubled := Status(&Seen{States: imported, Devices: *managed("", taken)}, &v1alpha1.NodeRouteStateStatus{}, time.Now())
	// An agent that was started again does not know yet.
	if still := Status(&Seen{States: imported, Devices: Devices{Managed: true}}, &troubled, time.Now()); condition(still.Conditions) != condition(troubled.Conditions) ||
		condition(ofNetwork(&still, "cluster_udn_red")) != condition(ofNetwork(&troubled, "cluster_udn_red")) {
		t.Errorf("before the first pass it is %+v", still)
	}
	mended := taken
	mended.Reason, mended.Problem = "", ""
	if now := Status(&Seen{States: imported, Devices: *managed("", mended)}, &troubled, time.Now()); !strings.HasPrefix(condition(now.Conditions), "True") ||
		!strings.HasPrefix(condition(ofNetwork(&now, "cluster_udn_red")), "True") {
		t.Errorf("mended, it is %+v", now)
	}
	if without := Status(&Seen{States: imported}, &troubled, time.Now()); condition(without.Conditions)+condition(ofNetwork(&without, "cluster_udn_red")) != "nonenone" {
		t.Errorf("without --manage-vrfs it is %+v", without)
	}
}

// recorder takes events, or refuses them.
type recorder struct {
	client.Client
	events []string
	refuse bool
}

func (r *recorder) Create(_ context.Context, object client.Object, _ ...client.CreateOption) error {
	if r.refuse {
		return errors.New("refused")
	}
	e := object.(*eventsv1.Event)
	r.events = append(r.events, e.Type+" "+e.Reason+" "+e.Note)
	return nil
}

func TestEventsOfVRFs(t *testing.T) {
	to := &recorder{}
	w := &Writer{Client: to, Node: "n1", Log: logr.Discard(), written: &v1alpha1.NodeRouteState{}}
	w.Init()
	mended := taken
	mended.Reason, mended.Problem = "", ""
	unread := taken
	unread.Reason = vrfs.ReasonKernelUnread
	to.refuse = true
	w.tellVRFs(t.Context(), managed("", fine, taken))
	to.refuse = false
	for i, step := range []struct {
		devices *Devices
		events  []string
	}{
		{&Devices{Managed: true}, nil},
		{managed("", fine, unknown, taken), []string{"Warning NameTaken network cluster_udn_red: there is a device red"}},
		{managed("", fine, unknown, taken), nil},
		{managed("", fine, unread), nil},
		{managed("", fine, mended), []string{"Normal VRFReady network cluster_udn_red: VRF device red"}},
		{managed("", fine, taken), []string{"Warning NameTaken"}},
		// It goes, and a network of that name comes with the same trouble.
		{managed("", fine), nil},
		{managed("", fine, taken), []string{"Warning NameTaken"}},
		{managed("busy", fine, taken), []string{"Warning KernelRefused leftovers of a deleted network could not be removed: busy"}},
		{managed("", fine, taken), []string{"Normal VRFReady all leftovers of deleted networks"}},
	} {
		to.events = nil
		w.tellVRFs(t.Context(), step.devices)
		if !slices.EqualFunc(to.events, step.events, strings.HasPrefix) {
			t.Errorf("step %d: the events are %q, want %q", i, to.events, step.events)
		}
	}
}

func TestMetricsOfVRFs(t *testing.T) {
	registry := prometheus.NewRegistry()
	told := 0
	v := NewVRFs(registry, logr.Discard(), func() { told++ })
	mended := taken
	mended.Reason, mended.Problem = "", ""
	made := []vrfs.Change{{Network: "cluster_udn_blue"}, {Network: "cluster_udn_blue"}}
	for i, step := range []struct {
		report vrfs.Report
		err    error
		want   []string
		told   int
	}{
		{vrfs.Report{Networks: []vrfs.State{fine, taken}, Changes: made}, nil, []string{"changes{cluster_udn_blue} 2", "failures{} 0", "ready{cluster_udn_blue,Ready} 1", "ready{cluster_udn_red,NameTaken} 0"}, 1},
		{vrfs.Report{Networks: []vrfs.State{fine, taken}}, errors.New("refused"), []string{"changes{cluster_udn_blue} 2", "failures{} 1", "ready{cluster_udn_blue,Ready} 1", "ready{cluster_udn_red,NameTaken} 0"}, 1},
		{vrfs.Report{Networks: []vrfs.State{fine, mended}}, nil, []string{"changes{cluster_udn_blue} 2", "failures{} 1", "ready{cluster_udn_blue,Ready} 1", "ready{cluster_udn_red,Ready} 1"}, 2},
		{vrfs.Report{Networks: []vrfs.State{mended}}, nil, []string{"failures{} 1", "ready{cluster_udn_red,Ready} 1"}, 3},
	} {
		v.Passed(step.report, step.err)
		if got := gather(t, registry); !slices.Equal(got, step.want) || told != step.told {
			t.Errorf("step %d: told %d times, the metrics are\n%s\nwant\n%s", i, told, strings.Join(got, "\n"), strings.Join(step.want, "\n"))
		}
	}
}

func gather(t *testing.T, registry *prometheus.Registry) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range families {
		name := strings.TrimSuffix(strings.TrimPrefix(f.GetName(), "ovnbgp_agent_vrf_"), "_total")
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			out = append(out, fmt.Sprintf("%s{%s} %v", name, strings.Join(labels, ","), m.GetGauge().GetValue()+m.GetCounter().GetValue()))
		}
	}
	return out
}
