package status

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
)

// The types of events, as Kubernetes has them.
const (
	eventNormal  = "Normal"
	eventWarning = "Warning"
)

// maxEvent is Kubernetes' limit of an event's message.
const maxEvent = 1024

// Event is a Kubernetes event to emit.
type Event struct {
	Type, Reason, Message string
}

// Transitions returns the events for what changed between two sets of
// conditions: one for each that has another status or reason now. Progress
// that doesn't change these, as one more node of many, makes no event, and
// neither does waiting.
func Transitions(existing, conditions []metav1.Condition) []Event {
	var events []Event
	for i := range conditions {
		c := &conditions[i]
		old := find(existing, c.Type)
		if old != nil && old.Status == c.Status && old.Reason == c.Reason {
			continue
		}
		if kind := eventType(c); kind != "" {
			events = append(events, Event{Type: kind, Reason: c.Reason, Message: phrase.Cut(c.Type+": "+c.Message, maxEvent)})
		}
	}
	return events
}

// eventType is "" for conditions that need no event: FRRConfigured while it is
// changing, or if Rendered says the same.
func eventType(c *metav1.Condition) string {
	if c.Status == metav1.ConditionTrue {
		return label(c.Type == FRRConfigured && c.Reason == reasonNothingToAdvertise, "", eventNormal)
	}
	if c.Type == FRRConfigured {
		return label(c.Reason == reasonFRRError, eventWarning, "")
	}
	return eventWarning
}
