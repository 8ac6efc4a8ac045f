package report

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What devices of networks have in common, be they for VRFs or EVPN.

// The reason of conditions that are True.
//
//reference:reasons NodeRouteState VRFReady EVPNReady VTEPReady
const (
	// VRFReady True, EVPNReady True, VTEPReady True: the devices of the network, or of all
	// networks, are set up correctly, with the rules, routes and settings that belong to them. What FRR
	// does with them this does not say.
	// Do: nothing.
	reasonReady = "Ready"
)

// newReadiness is a metric that is 1 for networks whose devices are set up correctly.
func newReadiness(name, help string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help + "; otherwise 0, with the reason."}, []string{"network", "reason"})
}

// setReadiness brings it from the networks' reasons before to those now.
func setReadiness(ready *prometheus.GaugeVec, before, now map[string]string) {
	for network, reason := range before {
		if now[network] != reason {
			ready.DeleteLabelValues(network, reason)
		}
	}
	for network, reason := range now {
		value := 0.0
		if reason == reasonReady {
			value = 1
		}
		ready.WithLabelValues(network, reason).Set(value)
	}
}

// summary sums up conditions of networks: one that is known to be False decides, and
// after it one that is Unknown.
type summary struct {
	metav1.Condition
	all      int
	troubled []string
}

func summaryOf(condition string) summary {
	return summary{Condition: metav1.Condition{Type: condition, Status: metav1.ConditionTrue, Reason: reasonReady}}
}

func (s *summary) add(network string, c metav1.Condition) {
	s.all++
	if c.Status == metav1.ConditionTrue {
		return
	}
	s.troubled = append(s.troubled, network)
	s.worsen(c.Status, c.Reason)
}

func (s *summary) worsen(status metav1.ConditionStatus, reason string) {
	if s.Status == metav1.ConditionTrue || s.Status == metav1.ConditionUnknown && status == metav1.ConditionFalse {
		s.Status, s.Reason = status, reason
	}
}

// tell says how many networks there are, and which are not well.
func (s *summary) tell(what, where string) {
	s.Message = fmt.Sprintf("the %s of all %d networks are set up correctly", what, s.all)
	if len(s.troubled) > 0 {
		s.Message = fmt.Sprintf("the %s of %d of %d networks are not set up correctly: %s; see %s", what, len(s.troubled), s.all, list(s.troubled), where)
	}
}

// conditionOf is the condition of one thing that has devices. Without a problem it is well;
// decided is whether it is known that something is wrong.
func conditionOf(kind, reason, problem string, decided bool, well string) metav1.Condition {
	c := metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: cut(problem)}
	switch {
	case problem == "":
		c.Message = well
	case decided:
		c.Status = metav1.ConditionFalse
	default:
		c.Status = metav1.ConditionUnknown
	}
	return c
}

// news are the reasons that the last events gave, by what they are about.
type news map[string]string

// tellCondition writes an event when a condition of the node turns False, for another
// reason, or True again. Unknown is no problem yet.
func (w *Writer) tellCondition(ctx context.Context, told news, action string, c *metav1.Condition) {
	switch {
	case c == nil:
		delete(told, "")
	case c.Status == metav1.ConditionTrue:
		w.tellNews(ctx, told, "", action, "", c.Type, c.Message)
	case c.Status == metav1.ConditionFalse:
		w.tellNews(ctx, told, "", action, c.Reason, c.Type, c.Message)
	}
}

// tellNews writes an event if the reason is another than the last one's; "" is for being
// well, which is no news at first. One that could not be written is for the next time.
func (w *Writer) tellNews(ctx context.Context, told news, about, action, reason, condition, note string) {
	if reason == told[about] {
		return
	}
	kind, named := corev1.EventTypeWarning, reason
	if reason == "" {
		kind, named = corev1.EventTypeNormal, condition
	}
	if w.write(ctx, w.event(action, kind, named, note)) {
		told[about] = reason
	}
}
