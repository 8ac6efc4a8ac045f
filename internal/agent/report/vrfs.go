package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
)

// VRFs keeps what the last pass over the node's VRF devices found, for the
// NodeRouteState, events and metrics.
type VRFs struct {
	log      logr.Logger
	changed  func()
	ready    *prometheus.GaugeVec
	changes  *prometheus.CounterVec
	failures prometheus.Counter

	mu   sync.Mutex
	last Devices
}

// Devices is the state of the VRF devices that the agent makes.
type Devices struct {
	// Managed is set if the agent makes any, Known once it has looked.
	Managed, Known bool
	// States are sorted by network.
	States []vrfs.State
	// Leftover is why something that no network wants is still there.
	Leftover string
}

// NewVRFs registers the metrics. It calls changed when there is something new.
func NewVRFs(registry prometheus.Registerer, log logr.Logger, changed func()) *VRFs {
	v := &VRFs{
		log: log, changed: changed,
		ready: newReadiness("ovnbgp_agent_vrf_ready", "1 if the network's VRF device, rules and routes are set up correctly"),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ovnbgp_agent_vrf_changes_total",
			Help: "VRF devices, ip rules and routes that the agent created, corrected or removed."}, []string{"network"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "ovnbgp_agent_vrf_failures_total",
			Help: "Passes over the node's VRF devices in which the agent could not read the kernel, or the kernel refused a change."}),
	}
	registry.MustRegister(v.ready, v.changes, v.failures)
	return v
}

// Passed takes what a pass found.
func (v *VRFs) Passed(report vrfs.Report, err error) {
	if err != nil {
		v.failures.Inc()
	}
	for i := range report.Changes {
		v.changes.WithLabelValues(report.Changes[i].Network).Inc()
	}
	v.mu.Lock()
	before, now := v.last, Devices{Managed: true, Known: true, States: report.Networks, Leftover: report.Leftover}
	v.last = now
	v.mu.Unlock()
	if before.Known && before.Leftover == now.Leftover && slices.Equal(before.States, now.States) {
		return
	}
	v.count(&before, &now)
	for i := range now.States {
		s := &now.States[i]
		if was := before.Of(s.Network); s.Problem != "" && (was == nil || was.Problem != s.Problem) {
			v.log.Info("Could not set up all of a network's VRF", "network", s.Network, "vrf", s.VRF, "reason", s.Reason, "problem", s.Problem)
		}
	}
	v.changed()
}

// count brings the metrics from one state to the next.
func (v *VRFs) count(before, now *Devices) {
	for i := range before.States {
		if network := before.States[i].Network; now.Of(network) == nil {
			v.changes.DeleteLabelValues(network)
		}
	}
	setReadiness(v.ready, before.reasons(), now.reasons())
}

func (d *Devices) reasons() map[string]string {
	out := make(map[string]string, len(d.States))
	for i := range d.States {
		out[d.States[i].Network] = vrfReason(&d.States[i])
	}
	return out
}

// Devices is what the last pass found. A nil VRFs belongs to an agent that
// makes none.
func (v *VRFs) Devices() Devices {
	if v == nil {
		return Devices{}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.last
	out.Managed = true
	return out
}

// Of is a network's state, nil if it has none.
func (d *Devices) Of(network string) *vrfs.State {
	i, found := slices.BinarySearchFunc(d.States, network, func(s vrfs.State, name string) int { return cmp.Compare(s.Network, name) })
	if !found {
		return nil
	}
	return &d.States[i]
}

func vrfReason(s *vrfs.State) string { return cmp.Or(string(s.Reason), reasonReady) }

// withRouteless adds the networks that have nothing but a VRF, or the lack of
// one, to those that routes are imported for.
func (d *Devices) withRouteless(states []agent.NetworkState) []agent.NetworkState {
	out := slices.Clone(states)
	for i := range d.States {
		s := &d.States[i]
		if slices.ContainsFunc(states, func(n agent.NetworkState) bool { return n.Network == s.Network }) {
			continue
		}
		n := agent.NetworkState{Network: s.Network, VRF: s.VRF, Reason: agent.ReasonListing, Message: "reading the network's configuration"}
		if s.Problem != "" {
			n.Reason, n.Message = agent.ReasonVRFMissing, "the VRF device is not on this node, so there are no routes to import; the condition VRFReady says why"
		}
		out = append(out, n)
	}
	if len(out) == len(states) {
		return states
	}
	slices.SortStableFunc(out, func(a, b agent.NetworkState) int { return cmp.Compare(a.Network, b.Network) })
	return out
}

// setNetwork sets the network's condition, or removes it if the agent does not
// make the network's VRF. Before the first pass it stays as it was.
func (d *Devices) setNetwork(conditions *[]metav1.Condition, network string, now time.Time) {
	s := d.Of(network)
	switch {
	case d.Managed && !d.Known:
	case s == nil:
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionVRFReady)
	default:
		set(conditions, vrfCondition(s), now)
	}
}

func vrfCondition(s *vrfs.State) metav1.Condition {
	maker := "not created by this agent"
	if s.Ours {
		maker = "created by this agent"
	}
	return conditionOf(v1alpha1.ConditionVRFReady, vrfReason(s), s.Problem, s.Reason.Decided(),
		fmt.Sprintf("VRF device %s (table %d, %s) is set up correctly", s.VRF, s.Table, maker))
}

// setNode sums up.
func (d *Devices) setNode(conditions *[]metav1.Condition, now time.Time) {
	if !d.Managed {
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionVRFReady)
	}
	if !d.Known {
		return
	}
	c := summaryOf(v1alpha1.ConditionVRFReady)
	for i := range d.States {
		c.add(d.States[i].Network, vrfCondition(&d.States[i]))
	}
	c.tell("VRFs", "status.networks")
	if d.Leftover != "" {
		c.worsen(metav1.ConditionFalse, string(vrfs.ReasonKernelRefused))
		c.Message += "; leftovers of a deleted network could not be removed: " + d.Leftover
	}
	c.Message = cut(c.Message)
	set(conditions, c.Condition, now)
}

// tellVRFs writes an event when a network's VRF gets a problem, or is rid of it.
// An unknown state is no problem yet. Problems of the network itself are in the
// events of its import.
func (w *Writer) tellVRFs(ctx context.Context, d *Devices) {
	if !d.Known {
		return
	}
	for network := range w.toldVRFs {
		if d.Of(network) == nil && network != "" {
			delete(w.toldVRFs, network)
		}
	}
	tell := func(network string, reason vrfs.Reason, note string) {
		if reason.Decided() {
			w.tellNews(ctx, w.toldVRFs, network, "MakeVRF", string(reason), v1alpha1.ConditionVRFReady, note)
		}
	}
	for i := range d.States {
		s := &d.States[i]
		tell(s.Network, s.Reason, "network "+s.Network+": "+vrfCondition(s).Message)
	}
	if d.Leftover != "" {
		tell("", vrfs.ReasonKernelRefused, "leftovers of a deleted network could not be removed: "+d.Leftover)
	} else {
		tell("", "", "all leftovers of deleted networks are removed")
	}
}
