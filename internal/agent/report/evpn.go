package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
)

// The reason of an EVPNReady that is not of one network alone.
//
//reference:reasons NodeRouteState EVPNReady
const (
	// False: the node has no tunnel endpoint for a VTEP, so that networks of that VTEP
	// have no EVPN there.
	// Do: follow the message.
	reasonVTEPUnusable = "VTEPUnusable"
)

// maxEVPN is how many networks the object lists; see EVPNState.
const maxEVPN = 500

// EVPN keeps what the last look at the node's EVPN devices found, for the NodeRouteState,
// events and metrics.
type EVPN struct {
	log     logr.Logger
	changed func()
	ready   *prometheus.GaugeVec
	changes *prometheus.CounterVec

	mu sync.Mutex
	// states are sorted by network; nil until the agent looked.
	states []evpn.State
	// leftover is why devices that no network wants are still there.
	leftover string
}

// NewEVPN registers the metrics. It calls changed when there is something new.
func NewEVPN(registry prometheus.Registerer, log logr.Logger, changed func()) *EVPN {
	e := &EVPN{log: log, changed: changed, ready: newReadiness("ovnbgp_agent_evpn_ready", "1 if the node has all devices that the network's EVPN needs")}
	e.changes = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "ovnbgp_agent_evpn_changes_total",
		Help: "EVPN devices, VNIs and entries of hosts that the agent created, corrected or removed."}, []string{"network"})
	registry.MustRegister(e.ready, e.changes)
	return e
}

// Looked takes what a look found, and what the agent made.
func (e *EVPN) Looked(report evpn.Report) {
	states := report.Networks
	for i := range report.Changes {
		e.changes.WithLabelValues(report.Changes[i].Network).Inc()
	}
	if states == nil {
		states = []evpn.State{}
	}
	e.mu.Lock()
	before, left := e.states, e.leftover
	e.states, e.leftover = states, report.Leftover
	e.mu.Unlock()
	if before != nil && left == report.Leftover && slices.Equal(before, states) {
		return
	}
	was, is := evpnReasons(before), evpnReasons(states)
	setReadiness(e.ready, was, is)
	for i := range states {
		if s := &states[i]; s.Problem != "" && was[s.Network] != is[s.Network] {
			e.log.Info("The node lacks something that a network's EVPN needs", "network", s.Network, "vtep", s.VTEP, "reason", s.Reason, "problem", s.Problem)
		}
	}
	e.changed()
}

func evpnReasons(states []evpn.State) map[string]string {
	out := make(map[string]string, len(states))
	for i := range states {
		out[states[i].Network] = evpnReason(&states[i])
	}
	return out
}

func evpnReason(s *evpn.State) string { return cmp.Or(string(s.Reason), reasonReady) }

// set puts what is known into the status. Before the first look it stays as it was.
func (e *EVPN) set(out, before *v1alpha1.NodeRouteStateStatus, vtepProblems []string, now time.Time) {
	if e == nil {
		return
	}
	e.mu.Lock()
	states, leftover := e.states, e.leftover
	e.mu.Unlock()
	if states == nil {
		out.EVPN = before.EVPN
		return
	}
	old := map[string][]metav1.Condition{}
	for i := range before.EVPN {
		old[before.EVPN[i].Name] = before.EVPN[i].Conditions
	}
	sum := summaryOf(v1alpha1.ConditionEVPNReady)
	for i := range states {
		sum.add(states[i].Network, evpnCondition(&states[i]))
	}
	for _, s := range listed(states) {
		out.EVPN = append(out.EVPN, evpnStatus(&s, old[s.Network], now))
	}
	if len(states)+len(vtepProblems)+len(leftover) == 0 {
		meta.RemoveStatusCondition(&out.Conditions, v1alpha1.ConditionEVPNReady)
		return
	}
	sum.tell("EVPN devices", "status.evpn")
	if len(vtepProblems) > 0 {
		sum.worsen(metav1.ConditionFalse, reasonVTEPUnusable)
		sum.Message = strings.Join(vtepProblems, "; ") + "; " + sum.Message
	}
	if leftover != "" {
		sum.worsen(metav1.ConditionFalse, string(evpn.ReasonKernelRefused))
		sum.Message += "; leftovers of a deleted network could not be removed: " + leftover
	}
	sum.Message = cut(sum.Message)
	set(&out.Conditions, sum.Condition, now)
}

// listed are as many states as the object takes, sorted by network. Those that are ready
// are the first to be left out.
func listed(states []evpn.State) []evpn.State {
	if len(states) <= maxEVPN {
		return states
	}
	out := slices.Clone(states)
	rank := func(s *evpn.State) int { return min(1, len(s.Reason)) }
	slices.SortStableFunc(out, func(a, b evpn.State) int { return -cmp.Compare(rank(&a), rank(&b)) })
	out = out[:maxEVPN]
	slices.SortFunc(out, func(a, b evpn.State) int { return cmp.Compare(a.Network, b.Network) })
	return out
}

func evpnStatus(s *evpn.State, before []metav1.Condition, now time.Time) v1alpha1.EVPNState {
	out := v1alpha1.EVPNState{
		Name: s.Network, VTEP: s.VTEP, Bridge: s.Bridge, RouterMAC: s.RouterMAC,
		MTU: int64(s.MTU), Underlay: s.Underlay, UnderlayMTU: int64(s.UnderlayMTU),
		MACVRF: evpnVRFStatus(&s.MACVRF), IPVRF: evpnVRFStatus(&s.IPVRF), Conditions: slices.Clone(before),
	}
	if s.Endpoint.IsValid() {
		out.Endpoint = v1alpha1.IP(s.Endpoint.String())
	}
	switch {
	case s.ByOVNKubernetes:
		out.MadeBy = "OVN-Kubernetes"
	case s.ByAgent:
		out.MadeBy = "Agent"
	}
	set(&out.Conditions, evpnCondition(s), now)
	return out
}

func evpnVRFStatus(v *evpn.VPNState) *v1alpha1.EVPNVRFState {
	if v.VNI == 0 {
		return nil
	}
	return &v1alpha1.EVPNVRFState{
		VNI: int32(v.VNI), //nolint:gosec // VNIs have 24 bits
		VID: int32(v.VID), Carried: v.Carried, SVI: v.SVI,
		LocalMACs: int64(v.LocalMACs), LocalAddresses: int64(v.LocalAddresses),
		RemoteMACs: int64(v.RemoteMACs), RemoteAddresses: int64(v.RemoteAddresses), RemoteEndpoints: int64(v.RemoteEndpoints),
	}
}

func evpnCondition(s *evpn.State) metav1.Condition {
	return conditionOf(v1alpha1.ConditionEVPNReady, evpnReason(s), s.Problem, s.Reason.Decided(),
		fmt.Sprintf("all devices of the network are there, on bridge %s of VTEP %s", s.Bridge, s.VTEP))
}
