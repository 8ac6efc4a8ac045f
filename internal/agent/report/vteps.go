package report

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vteps"
)

// VTEPs keeps what the last pass over the addresses of VTEPs did and found, for the
// NodeRouteState, events and metrics.
type VTEPs struct {
	log      logr.Logger
	changed  func()
	ready    *prometheus.GaugeVec
	failures prometheus.Counter

	mu   sync.Mutex
	last vteps.Report
	// known is set once there was a pass.
	known bool
}

// NewVTEPs registers the metrics. It calls changed when there is something new.
func NewVTEPs(registry prometheus.Registerer, log logr.Logger, changed func()) *VTEPs {
	v := &VTEPs{
		log: log, changed: changed,
		ready: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "ovnbgp_agent_vtep_ready",
			Help: "1 if the node has the addresses of the VTEP that the manager gave it; otherwise 0, with the reason."}, []string{"vtep", "reason"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "ovnbgp_agent_vtep_failures_total",
			Help: "Passes over the addresses of VTEPs in which the agent could not read the kernel, or the kernel refused a change."}),
	}
	registry.MustRegister(v.ready, v.failures)
	return v
}

// Passed takes what a pass found.
func (v *VTEPs) Passed(report vteps.Report, err error) {
	if err != nil {
		v.failures.Inc()
	}
	v.mu.Lock()
	before, known := v.last, v.known
	v.last, v.known = report, true
	v.mu.Unlock()
	same := func(a, b vteps.State) bool { return a.Equal(&b) }
	if known && before.Leftover == report.Leftover && slices.EqualFunc(before.VTEPs, report.VTEPs, same) {
		return
	}
	was := vtepReasons(before.VTEPs)
	setReadiness(v.ready, was, vtepReasons(report.VTEPs))
	for i := range report.VTEPs {
		if s := &report.VTEPs[i]; s.Problem != "" && was[s.VTEP] != vtepReason(s) {
			v.log.Info("The node lacks an address that the manager gave it", "vtep", s.VTEP, "reason", s.Reason, "problem", s.Problem)
		}
	}
	v.changed()
}

// Last is what the last pass found, empty before the first.
func (v *VTEPs) Last() vteps.Report {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

func vtepReasons(states []vteps.State) map[string]string {
	out := make(map[string]string, len(states))
	for i := range states {
		out[states[i].VTEP] = vtepReason(&states[i])
	}
	return out
}

func vtepReason(s *vteps.State) string { return cmp.Or(string(s.Reason), reasonReady) }

// set puts what is known into the status. Before the first pass it stays as it was.
func (v *VTEPs) set(out, before *v1alpha1.NodeRouteStateStatus, now time.Time) {
	if v == nil {
		return
	}
	v.mu.Lock()
	last, known := v.last, v.known
	v.mu.Unlock()
	if !known {
		out.VTEPs = before.VTEPs
		return
	}
	old := map[string][]metav1.Condition{}
	for i := range before.VTEPs {
		old[before.VTEPs[i].Name] = before.VTEPs[i].Conditions
	}
	sum := summaryOf(v1alpha1.ConditionVTEPReady)
	for i := range last.VTEPs {
		s := &last.VTEPs[i]
		c := vtepCondition(s)
		sum.add(s.VTEP, c)
		state := v1alpha1.VTEPState{Name: s.VTEP, Device: s.Device, Conditions: slices.Clone(old[s.VTEP])}
		for _, address := range s.Addresses {
			state.Addresses = append(state.Addresses, v1alpha1.IP(address.String()))
		}
		set(&state.Conditions, c, now)
		out.VTEPs = append(out.VTEPs, state)
	}
	if len(last.VTEPs) == 0 && last.Leftover == "" {
		meta.RemoveStatusCondition(&out.Conditions, v1alpha1.ConditionVTEPReady)
		return
	}
	sum.Message = "the node has the addresses of VTEPs that the manager gave it"
	if len(sum.troubled) > 0 {
		sum.Message = fmt.Sprintf("the node lacks addresses of %d of %d VTEPs: %s; see status.vteps", len(sum.troubled), sum.all, list(sum.troubled))
	}
	if last.Leftover != "" {
		sum.worsen(metav1.ConditionFalse, string(vteps.ReasonKernelRefused))
		sum.Message += "; the device of a VTEP that is gone could not be removed: " + last.Leftover
	}
	sum.Message = cut(sum.Message)
	set(&out.Conditions, sum.Condition, now)
}

func vtepCondition(s *vteps.State) metav1.Condition {
	return conditionOf(v1alpha1.ConditionVTEPReady, vtepReason(s), s.Problem, s.Reason.Decided(), "the node has the addresses that the manager gave it")
}
