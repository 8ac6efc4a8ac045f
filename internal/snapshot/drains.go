package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// withdrawAfter is the CRD's default of withdrawAfterSeconds.
const withdrawAfter = 120

// maxWithdrawAfter is the CRD's maximum of withdrawAfterSeconds.
const maxWithdrawAfter = 3600

// DrainPolicies leaves out objects that are being deleted, as routeAdvertisements does.
func DrainPolicies(objects []v1alpha1.DrainPolicy) []model.DrainPolicy {
	out := make([]model.DrainPolicy, 0, len(objects))
	for i := range objects {
		if objects[i].DeletionTimestamp == nil {
			out = append(out, DrainPolicy(&objects[i]))
		}
	}
	return out
}

// DrainPolicy converts an object. It has the CRD's defaults where the object lacks them:
// no API server has seen the files that kubectl ra plan reads.
func DrainPolicy(o *v1alpha1.DrainPolicy) model.DrainPolicy {
	spec := &o.Spec
	seconds := withdrawAfter
	if spec.Do.WithdrawAfterSeconds != nil {
		seconds = int(*spec.Do.WithdrawAfterSeconds)
	}
	out := model.DrainPolicy{
		Name: o.Name, Created: o.CreationTimestamp.Time, Generation: o.Generation,
		When:             model.DrainTriggers{Cordon: orTrue(spec.When.Cordon), Annotation: orTrue(spec.When.Annotation)},
		GracefulShutdown: orTrue(spec.Do.GracefulShutdown),
		Withdraw:         cmp.Or(model.Withdrawal(spec.Do.Withdraw), model.WithdrawShared),
		WithdrawAfter:    time.Duration(seconds) * time.Second,
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
	if out.Problem == nil {
		out.Problem = cmp.Or(triggersProblem(&out), actionsProblem(&out))
	}
	return out
}

// triggersProblem is that no node would ever drain, or one of the taints is none that a
// node can have. Most of it the CRD refuses, too; the form of taints it takes as it is.
func triggersProblem(p *model.DrainPolicy) *model.Problem {
	if !p.When.Cordon && !p.When.Annotation && len(p.When.Taints) == 0 {
		return finding.InvalidDrainPolicy("spec.when", "no node would ever drain: set one of cordon, taints and annotation")
	}
	for i := range p.When.Taints {
		if field, fault := taintFault(&p.When.Taints[i]); fault != "" {
			return finding.InvalidDrainPolicy(fmt.Sprintf("spec.when.taints[%d].%s", i, field), fault)
		}
	}
	return nil
}

// taintFault goes by what the API server lets a node have.
func taintFault(t *model.TaintMatch) (field, fault string) {
	if faults := validation.IsQualifiedName(t.Key); len(faults) > 0 {
		if before, after, found := strings.Cut(t.Key, ":"); found && isTaintEffect(after) {
			return "key", fmt.Sprintf("%q has the effect in it: write key: %s, effect: %s", t.Key, before, after)
		}
		return "key", fmt.Sprintf("no taint can have the key %q (%s)", t.Key, faults[0])
	}
	if t.Value != nil {
		if faults := validation.IsValidLabelValue(*t.Value); len(faults) > 0 {
			return "value", fmt.Sprintf("no taint can have the value %q (%s)", *t.Value, faults[0])
		}
	}
	if t.Effect != "" && !isTaintEffect(t.Effect) {
		return "effect", fmt.Sprintf("%q is none of NoSchedule, PreferNoSchedule and NoExecute", t.Effect)
	}
	return "", ""
}

func isTaintEffect(text string) bool {
	return slices.Contains([]corev1.TaintEffect{corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute}, corev1.TaintEffect(text))
}

// actionsProblem is that a drain would change nothing, or can't be carried out.
func actionsProblem(p *model.DrainPolicy) *model.Problem {
	switch {
	case !slices.Contains([]model.Withdrawal{model.WithdrawShared, model.WithdrawEverything, model.WithdrawNever}, p.Withdraw):
		return finding.InvalidDrainPolicy("spec.do.withdraw", fmt.Sprintf("%q is none of Shared, Everything and Never", p.Withdraw))
	case !p.GracefulShutdown && p.Withdraw == model.WithdrawNever:
		return finding.InvalidDrainPolicy("spec.do", "nothing would change on a node that drains: set gracefulShutdown to true, or withdraw to Shared or Everything")
	case p.WithdrawAfter < 0 || p.WithdrawAfter > maxWithdrawAfter*time.Second:
		return finding.InvalidDrainPolicy("spec.do.withdrawAfterSeconds", fmt.Sprintf("%.0f is not between 0 and %d", p.WithdrawAfter.Seconds(), maxWithdrawAfter))
	}
	return nil
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
