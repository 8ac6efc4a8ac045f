package vtep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/allocation"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/verdict"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// maxNodes is how many nodes a condition names.
const maxNodes = 10

// report writes the condition of the VTEPs that are the operator's to judge, and takes it
// from those that no longer are.
func (r *Reconciler) report(ctx context.Context, found *gathered, result *allocation.Result, failed map[string]error) error {
	keeper := snapshot.VTEPKeeper(found.vteps)
	var problems []error
	for i := range found.vteps {
		v := &found.vteps[i]
		var err error
		if v.Spec.Mode == ovnv1.VTEPModeUnmanaged || keeper != "" {
			_, err = Clear(ctx, r.Writer, v)
		} else {
			err = r.accept(ctx, v, condition(v, found, result, failed))
		}
		if err = client.IgnoreNotFound(err); err != nil {
			problems = append(problems, fmt.Errorf("the status of VTEP %s: %w", v.Name, err))
		}
	}
	return errors.Join(problems...)
}

// condition judges a VTEP, by OVN-Kubernetes' reasons.
func condition(v *ovnv1.VTEP, found *gathered, result *allocation.Result, failed map[string]error) metav1.Condition {
	c := metav1.Condition{Type: ovnv1.VTEPAccepted, Status: metav1.ConditionFalse, ObservedGeneration: v.Generation}
	without := slices.Clone(result.Without[v.Name])
	var unwritten []string
	for _, node := range sortedKeys(failed) {
		if len(result.Addresses[node][v.Name]) > 0 {
			unwritten = append(unwritten, node)
		}
	}
	switch other, network := overlapping(v, found.vteps), ipv6UserOf(v, found.cudns); {
	case other != "":
		c.Reason = ovnv1.VTEPReasonCIDROverlap
		c.Message = fmt.Sprintf("spec.cidrs overlap those of VTEP %q: change spec.cidrs of one of them; nodes keep the addresses that they have", other)
	case network != "":
		c.Reason = ovnv1.VTEPReasonEVPNIPv6NotSupported
		c.Message = fmt.Sprintf("network %q has transport EVPN and uses the VTEP, and EVPN tunnels run over IPv4 only: leave only IPv4 ranges in spec.cidrs", network)
	case len(without) > 0:
		c.Reason = ovnv1.VTEPReasonAllocationFailed
		c.Message = fmt.Sprintf("no address is left in spec.cidrs for %s %s: append a range", nodes(len(without)), phrase.List(without, maxNodes))
	case len(unwritten) > 0:
		c.Reason = ovnv1.VTEPReasonAllocationFailed
		c.Message = fmt.Sprintf("%s %s can't be told of an address, which is tried again: %s", nodes(len(unwritten)), phrase.List(unwritten, maxNodes), failed[unwritten[0]])
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, ovnv1.VTEPReasonAllocated, "every node has an address"
	}
	return c
}

func nodes(n int) string {
	if n == 1 {
		return "node"
	}
	return "nodes"
}

func overlapping(v *ovnv1.VTEP, all []ovnv1.VTEP) string {
	mine := ranges(v)
	var names []string
	for i := range all {
		if all[i].Name == v.Name {
			continue
		}
		for _, theirs := range ranges(&all[i]) {
			if slices.ContainsFunc(mine, theirs.Overlaps) {
				names = append(names, all[i].Name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

// ipv6UserOf is an EVPN network that uses a VTEP with an IPv6 range.
func ipv6UserOf(v *ovnv1.VTEP, cudns []ovnv1.ClusterUserDefinedNetwork) string {
	var names []string
	for i := range cudns {
		spec := &cudns[i].Spec.Network
		if spec.Transport == ovnv1.TransportEVPN && spec.EVPN != nil && spec.EVPN.VTEP == v.Name {
			names = append(names, cudns[i].Name)
		}
	}
	for _, p := range ranges(v) {
		if p.Addr().Is6() && len(names) > 0 {
			return slices.Min(names)
		}
	}
	return ""
}

// accept applies the condition where it differs.
func (r *Reconciler) accept(ctx context.Context, v *ovnv1.VTEP, c metav1.Condition) error {
	conditions := slices.Clone(v.Status.Conditions)
	c.LastTransitionTime = metav1.NewTime(r.Now())
	if !meta.SetStatusCondition(&conditions, c) {
		return nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&ovnv1.VTEPStatus{
		Conditions: []metav1.Condition{*meta.FindStatusCondition(conditions, ovnv1.VTEPAccepted)},
	})
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: map[string]any{"status": content}}
	object.SetGroupVersionKind(ovnv1.GroupVersion.WithKind("VTEP"))
	object.SetName(v.Name)
	return r.Writer.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(model.FieldManager), client.ForceOwnership)
}

// Clear removes the condition that the operator wrote, and reports whether there was one.
// OVN-Kubernetes applies its own without force, and could not while this one is there.
func Clear(ctx context.Context, c client.Client, v *ovnv1.VTEP) (bool, error) {
	if !verdict.OwnsAccepted(v) {
		return false, nil
	}
	left := slices.DeleteFunc(slices.Clone(v.Status.Conditions), func(c metav1.Condition) bool { return c.Type == ovnv1.VTEPAccepted })
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": v.ResourceVersion}, "status": map[string]any{"conditions": left},
	})
	if err != nil {
		return false, err
	}
	target := &ovnv1.VTEP{ObjectMeta: metav1.ObjectMeta{Name: v.Name}}
	err = c.Status().Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(model.FieldManager))
	return err == nil, client.IgnoreNotFound(err)
}
