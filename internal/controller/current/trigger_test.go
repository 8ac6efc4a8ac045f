package current

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

func TestTriggerKeepsWhatCameBeforeTheQueue(t *testing.T) {
	var trigger Trigger[string]
	trigger.Now("early")
	queue := priorityqueue.New[string]("trigger-early")
	defer queue.ShutDown()
	if err := trigger.Source().Start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	got, _ := queue.Get()
	if got != "early" {
		t.Errorf("got %q, want early", got)
	}
}

func TestTriggerLetsSingleNodesPass(t *testing.T) {
	var trigger Trigger[string]
	queue := priorityqueue.New[string]("trigger-order")
	defer queue.ShutDown()
	if err := trigger.Source().Start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	trigger.Later("one of all")
	trigger.Now("changed by itself")
	for _, want := range []struct {
		request  string
		priority int
	}{{"changed by itself", 0}, {"one of all", handler.LowPriority}} {
		got, priority, _ := queue.GetWithPriority()
		if got != want.request || priority != want.priority {
			t.Errorf("got %q with priority %d, want %q with %d", got, priority, want.request, want.priority)
		}
	}
}
