package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// DrainPolicies leaves out objects that are being deleted, as routeAdvertisements does.
// The oldest comes first, which counts for the nodes that several select.
func DrainPolicies(objects []v1alpha1.DrainPolicy) []model.DrainPolicy {
	out := make([]model.DrainPolicy, 0, len(objects))
	for i := range objects {
		if objects[i].DeletionTimestamp == nil {
			out = append(out, drainPolicy(&objects[i]))
		}
	}
	slices.SortFunc(out, func(a, b model.DrainPolicy) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// drainPolicy has the CRD's defaults where an object lacks them, as in Go.
func drainPolicy(o *v1alpha1.DrainPolicy) model.DrainPolicy {
	spec := &o.Spec
	out := model.DrainPolicy{
		Name: o.Name, Created: o.CreationTimestamp.Time, Generation: o.Generation,
		When:             model.DrainTriggers{Cordon: orTrue(spec.When.Cordon), Annotation: orTrue(spec.When.Annotation)},
		GracefulShutdown: orTrue(spec.Do.GracefulShutdown),
		Withdraw:         cmp.Or(model.Withdrawal(spec.Do.Withdraw), model.WithdrawShared),
	}
	if seconds := spec.Do.WithdrawAfterSeconds; seconds != nil {
		out.WithdrawAfter = time.Duration(*seconds) * time.Second
	}
	for _, t := range spec.When.Taints {
		out.When.Taints = append(out.When.Taints, model.TaintMatch{Key: t.Key, Value: t.Value, Effect: t.Effect})
	}
	for _, n := range o.Status.Nodes {
		if out.Listed == nil {
			out.Listed = make(map[string]bool, len(o.Status.Nodes))
		}
		out.Listed[n.Name] = n.Phase == v1alpha1.DrainWithdrawn
	}
	if spec.NodeSelector != nil {
		out.Nodes, out.Problem = selector(spec.NodeSelector, "spec.nodeSelector")
	}
	if !slices.Contains([]model.Withdrawal{model.WithdrawShared, model.WithdrawEverything, model.WithdrawNever}, out.Withdraw) {
		out.Problem = finding.InvalidDrainPolicy("spec.do.withdraw", fmt.Sprintf("%q is none of Shared, Everything and Never", out.Withdraw))
	}
	return out
}

func orTrue(value *bool) bool { return value == nil || *value }

// maintenance reads what DrainPolicies go by.
func maintenance(n *corev1.Node) model.Maintenance {
	value, annotated := n.Annotations[model.AnnotationMaintenance]
	out := model.Maintenance{Cordoned: n.Spec.Unschedulable, Annotated: annotated && value != "false"}
	for i := range n.Spec.Taints {
		t := &n.Spec.Taints[i]
		out.Taints = append(out.Taints, model.Taint{Key: t.Key, Value: t.Value, Effect: string(t.Effect)})
	}
	return out
}
