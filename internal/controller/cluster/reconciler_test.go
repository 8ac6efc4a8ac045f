package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// reader has one RouteAdvertisements object and fails to list namespaces for
// as long as it is told to.
type reader struct {
	client.Reader
	failure error
}

func (r *reader) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	switch l := list.(type) {
	case *corev1.NamespaceList:
		return r.failure
	case *ovnv1.RouteAdvertisementsList:
		l.Items = []ovnv1.RouteAdvertisements{{ObjectMeta: metav1.ObjectMeta{Name: "pods", Generation: 3}}}
	}
	return nil
}

func newReconciler(r client.Reader) *Reconciler {
	return &Reconciler{
		Reader: r, Rollout: &current.Rollout{}, Findings: &current.ControllerFindings{},
		Nodes: &current.Trigger[string]{}, NADs: &current.Trigger[types.NamespacedName]{}, Advertisements: &current.Trigger[string]{},
		Policies: &current.Trigger[string]{},
		Drains:   &current.Trigger[string]{},
		Now:      time.Now,
	}
}

func TestAFailedReadChangesNothingAndIsTold(t *testing.T) {
	cache := &reader{failure: errors.New("namespaces is forbidden")}
	r := newReconciler(cache)
	if _, err := r.Reconcile(t.Context(), Request{}); err == nil {
		t.Fatal("a failed read is not tried again")
	}
	if r.Rollout.Revision() != nil {
		t.Fatal("a plan was made of half a cluster")
	}
	findings := r.Findings.Of("pods")
	if len(findings) != 1 || findings[0].Outcome != model.Retryable || !strings.Contains(findings[0].Message, "namespaces is forbidden") {
		t.Fatalf("findings of the object: %v", findings)
	}

	cache.failure = nil
	if _, err := r.Reconcile(t.Context(), Request{}); err != nil {
		t.Fatal(err)
	}
	first := r.Rollout.Revision()
	if first == nil || len(r.Findings.Of("pods")) != 0 {
		t.Fatalf("after a read that succeeded: revision %v, findings %v", first, r.Findings.Of("pods"))
	}

	cache.failure = errors.New("namespaces is forbidden")
	if _, err := r.Reconcile(t.Context(), Request{}); err == nil {
		t.Fatal("a failed read is not tried again")
	}
	if r.Rollout.Revision() != first {
		t.Error("a failed read replaced the plan")
	}
}

func TestUplinkStatesConcernTheirNodes(t *testing.T) {
	old := map[string]string{"kept": "a@1", "changed": "b@1", "gone": "c@1"}
	next := map[string]string{"kept": "a@1", "changed": "b@2", "new": "d@1"}
	got := map[string]bool{}
	for _, node := range changedKeys(next, old) {
		got[node] = true
	}
	if len(got) != 3 || !got["changed"] || !got["gone"] || !got["new"] {
		t.Errorf("nodes %v, want changed, gone and new", got)
	}
}

func TestABurstIsWaitedForAsLongAsCompilingTakes(t *testing.T) {
	r := newReconciler(&reader{})
	for took, want := range map[time.Duration]time.Duration{
		0: 50 * time.Millisecond, time.Millisecond: 50 * time.Millisecond,
		100 * time.Millisecond: 400 * time.Millisecond, time.Minute: 2 * time.Second,
	} {
		r.took.Store(int64(took))
		if got := r.pause(); got != want {
			t.Errorf("after a compilation of %s the pause is %s, want %s", took, got, want)
		}
	}
}
