package main

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// drainSteps plays the operator for a command, which runs beside it.
type drainSteps struct {
	*testing.T
	api        client.Client
	kubeconfig string
}

// run runs a command, and play meanwhile, and returns what it prints.
func (s *drainSteps) run(want int, play func(), args ...string) string {
	s.Helper()
	var out bytes.Buffer
	ended := make(chan int)
	go func() {
		ended <- run(context.Background(), append(args, "--kubeconfig", s.kubeconfig), strings.NewReader(""), &out, &out)
	}()
	play()
	select {
	case code := <-ended:
		if code != want {
			s.Fatalf("%v: exit code %d, want %d\n%s", args, code, want, out.String())
		}
	case <-time.After(time.Minute):
		s.Fatalf("%v does not end", args)
	}
	return out.String()
}

// awaitCordon waits until worker is unschedulable, or schedulable.
func (s *drainSteps) awaitCordon(yes bool) {
	s.Helper()
	err := wait.PollUntilContextTimeout(s.Context(), 20*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		var n corev1.Node
		err := s.api.Get(ctx, client.ObjectKey{Name: "worker"}, &n)
		return n.Spec.Unschedulable == yes, err
	})
	if err != nil {
		s.Fatalf("cordon %t: %v", yes, err)
	}
}

// list has the policy list worker in a phase, "" for not at all.
func (s *drainSteps) list(phase v1alpha1.DrainPhase) {
	s.Helper()
	var policy v1alpha1.DrainPolicy
	if err := s.api.Get(s.Context(), client.ObjectKey{Name: "maintenance"}, &policy); err != nil {
		s.Fatal(err)
	}
	policy.Status.Nodes = nil
	if phase != "" {
		policy.Status.Nodes = []v1alpha1.DrainingNode{{Name: "worker", Phase: phase, Since: metav1.Now()}}
	}
	if err := s.api.Status().Update(s.Context(), &policy); err != nil {
		s.Fatal(err)
	}
}

func (s *drainSteps) create(o client.Object) {
	s.Helper()
	if err := s.api.Create(s.Context(), o); err != nil {
		s.Fatal(err)
	}
}

// in reports whether the lines are in the text, in this order.
func in(text string, lines ...string) bool {
	for _, line := range lines {
		_, rest, found := strings.Cut(text, line+"\n")
		if !found {
			return false
		}
		text = rest
	}
	return true
}

func TestDrain(t *testing.T) {
	plane := controlplane.StartForTest(t, controlplane.Options{})
	s := &drainSteps{T: t, kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if err := plane.WriteKubeconfig(s.kubeconfig); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	err := snapshot.AddToScheme(scheme)
	if err != nil {
		t.Fatal(err)
	}
	if s.api, err = client.New(plane.Config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	nothing := func() {}
	s.create(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "worker", Labels: map[string]string{model.LabelHostname: "worker"}}})

	if out := s.run(exitUnable, nothing, "drain", "another"); !strings.HasPrefix(out, `Error: node "another" can't be read: `) {
		t.Errorf("of no node: %s", out)
	}
	if out := s.run(exitUnable, nothing, "drain", "worker"); !strings.HasPrefix(out, `Error: no DrainPolicy counts for node "worker"`) {
		t.Errorf("without a policy: %s", out)
	}
	policy := &v1alpha1.DrainPolicy{ObjectMeta: metav1.ObjectMeta{Name: "maintenance"}}
	policy.Spec.When.Cordon = new(false)
	s.create(policy)
	if out := s.run(exitUnable, nothing, "drain", "worker"); !strings.HasPrefix(out, `Error: DrainPolicy "maintenance" counts for node "worker", and has when.cordon: false`) {
		t.Errorf("with a policy for other triggers: %s", out)
	}
	s.awaitCordon(false)
	if err := s.api.Get(t.Context(), client.ObjectKeyFromObject(policy), policy); err != nil {
		t.Fatal(err)
	}
	policy.Spec.When.Cordon = new(true)
	if err := s.api.Update(t.Context(), policy); err != nil {
		t.Fatal(err)
	}

	out := s.run(exitUnable, nothing, "drain", "worker", "--timeout", "10ms")
	if !in(out, "node worker is cordoned") || !strings.Contains(out, "the operator has not begun to drain it") {
		t.Errorf("without an operator: %s", out)
	}
	s.list(v1alpha1.DrainPending)
	if out := s.run(exitUnable, nothing, "drain", "worker", "--timeout", "10ms"); !strings.Contains(out, "its FRR does not have its routes marked (phase Pending)") {
		t.Errorf("without FRR: %s", out)
	}
	s.awaitCordon(true)

	out = s.run(exitFine, func() {
		s.list(v1alpha1.DrainReturning)
		s.list(v1alpha1.DrainPending)
		s.list(v1alpha1.DrainDraining)
	}, "drain", "worker", "--settle", "20ms")
	if !in(out,
		"node worker drains by DrainPolicy maintenance: its routes get the community graceful-shutdown (65535:0), and local preference 0 for neighbors of the same AS; "+
			"after 2m0s it withdraws subnets that other nodes advertise, too",
		"node worker was cordoned before", "node worker has drained: kubectl drain can follow") || !strings.Contains(out, "phase Draining: FRR has its routes marked") {
		t.Errorf("it drains: %s", out)
	}

	out = s.run(exitFine, func() {
		s.awaitCordon(false)
		s.list(v1alpha1.DrainReturning)
		s.list("")
	}, "undrain", "worker")
	if !in(out, "node worker is uncordoned", "node worker drains no longer") {
		t.Errorf("it is back: %s", out)
	}

	var n corev1.Node
	if err := s.api.Get(t.Context(), client.ObjectKey{Name: "worker"}, &n); err != nil {
		t.Fatal(err)
	}
	n.Annotations = map[string]string{model.AnnotationMaintenance: "disks"}
	if err := s.api.Update(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	if out := s.run(exitUnable, nothing, "undrain", "worker"); !strings.Contains(out, "drains on by DrainPolicy \"maintenance\" because of its annotation "+model.AnnotationMaintenance) {
		t.Errorf("with another trigger: %s", out)
	}
}

// The time of settling counts from what the command saw, and where it saw nothing, from
// what is written.
func TestDrainSettles(t *testing.T) {
	start := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	listed := func(phase v1alpha1.DrainPhase, since time.Time) []v1alpha1.DrainPolicy {
		return []v1alpha1.DrainPolicy{{Status: v1alpha1.DrainPolicyStatus{Nodes: []v1alpha1.DrainingNode{{Name: "worker", Phase: phase, Since: metav1.NewTime(since)}}}}}
	}
	for name, test := range map[string]struct {
		first  []v1alpha1.DrainPolicy
		second []v1alpha1.DrainPolicy
		// left are what look says.
		left []time.Duration
	}{
		"it began before":                {listed(v1alpha1.DrainDraining, start.Add(-40*time.Second)), nil, []time.Duration{20 * time.Second}},
		"it has withdrawn before":        {listed(v1alpha1.DrainWithdrawn, start.Add(-time.Second)), nil, []time.Duration{-61 * time.Second}},
		"by a clock that is ahead":       {listed(v1alpha1.DrainDraining, start.Add(time.Hour)), nil, []time.Duration{time.Minute}},
		"FRR takes it now":               {listed(v1alpha1.DrainPending, start), listed(v1alpha1.DrainDraining, start.Add(-time.Hour)), []time.Duration{0, time.Minute}},
		"nobody knows, and FRR takes it": {nil, listed(v1alpha1.DrainDraining, start.Add(-time.Hour)), []time.Duration{0, time.Minute}},
	} {
		var out bytes.Buffer
		w := &drained{drain: &drain{settle: time.Minute, out: &out, now: func() time.Time { return start }}, node: "worker", policy: &model.DrainPolicy{WithdrawAfter: 2 * time.Minute}}
		var left []time.Duration
		for i, policies := range [][]v1alpha1.DrainPolicy{test.first, test.second} {
			if i == len(test.left) {
				break
			}
			done, again, err := w.look(policies, false)
			if err != nil || done != (again < 0) {
				t.Errorf("%s: %v, %s, %v", name, done, again, err)
			}
			left = append(left, again)
		}
		if !slices.Equal(left, test.left) {
			t.Errorf("%s: %v, want %v", name, left, test.left)
		}
	}
}
