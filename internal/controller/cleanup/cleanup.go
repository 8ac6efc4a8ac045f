package cleanup

import (
	"context"
	"errors"
	"fmt"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/drain"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/nad"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/verdict"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/vtep"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Removed counts what was taken away.
type Removed struct {
	FRRConfigurations, RouteAdvertisements, Annotations, Statuses, NodeNetworks, VTEPs, Policies int
}

// Add counts more.
func (r *Removed) Add(more Removed) {
	r.FRRConfigurations += more.FRRConfigurations
	r.RouteAdvertisements += more.RouteAdvertisements
	r.Annotations += more.Annotations
	r.Statuses += more.Statuses
	r.NodeNetworks += more.NodeNetworks
	r.VTEPs += more.VTEPs
	r.Policies += more.Policies
}

// String says it for people.
func (r Removed) String() string {
	return fmt.Sprintf("removed %d generated FRRConfigurations, %d managed RouteAdvertisements, annotations of %d NetworkAttachmentDefinitions, conditions of %d RouteAdvertisements, %d VTEPs and %d policies, %d NodeNetworks",
		r.FRRConfigurations, r.RouteAdvertisements, r.Annotations, r.Statuses, r.VTEPs, r.Policies, r.NodeNetworks)
}

// Run removes what the operator wrote. It continues after failures, and may be run
// again. It removes conditions first: OVN-Kubernetes' nodes act on Accepted and must
// stop relying on routes before these are withdrawn.
func Run(ctx context.Context, c client.Client) (removed Removed, err error) {
	advertisements := leaveAdvertisements(ctx, c, verdict.Clear, &removed)
	cleared, annotations := nad.Clear(ctx, c)
	removed.Annotations = cleared
	configurations := deleteGenerated(ctx, c, &removed)
	networks := deleteNetworks(ctx, c, &removed)
	vteps, policies := leaveVTEPs(ctx, c, &removed), leavePolicies(ctx, c, &removed)
	return removed, errors.Join(advertisements, annotations, configurations, networks, vteps, policies)
}

// list lists a kind; a cluster without the kind has none of it.
func list(ctx context.Context, c client.Client, into client.ObjectList) error {
	if err := c.List(ctx, into); err != nil && !meta.IsNoMatchError(err) {
		return err
	}
	return nil
}

func deleteGenerated(ctx context.Context, c client.Client, removed *Removed) error {
	var all frrk8sv1beta1.FRRConfigurationList
	if err := list(ctx, c, &all); err != nil {
		return err
	}
	var problems []error
	for i := range all.Items {
		o := &all.Items[i]
		if !apply.Owned(o) {
			continue
		}
		if err := remove(ctx, c, o); err != nil {
			problems = append(problems, fmt.Errorf("FRRConfiguration %s/%s: %w", o.Namespace, o.Name, err))
			continue
		}
		removed.FRRConfigurations++
	}
	return errors.Join(problems...)
}

func deleteNetworks(ctx context.Context, c client.Client, removed *Removed) error {
	var all v1alpha1.NodeNetworksList
	if err := list(ctx, c, &all); err != nil {
		return err
	}
	var problems []error
	for i := range all.Items {
		if err := remove(ctx, c, &all.Items[i]); err != nil {
			problems = append(problems, fmt.Errorf("NodeNetworks %s: %w", all.Items[i].Name, err))
			continue
		}
		removed.NodeNetworks++
	}
	return errors.Join(problems...)
}

// leaveVTEPs takes the operator's condition from VTEPs.
func leaveVTEPs(ctx context.Context, c client.Client, removed *Removed) error {
	var all ovnv1.VTEPList
	if err := list(ctx, c, &all); err != nil {
		return err
	}
	var problems []error
	for i := range all.Items {
		changed, err := vtep.Clear(ctx, c, &all.Items[i])
		if err != nil {
			problems = append(problems, fmt.Errorf("VTEP %s: %w", all.Items[i].Name, err))
		}
		if changed {
			removed.VTEPs++
		}
	}
	return errors.Join(problems...)
}

// leavePolicies takes the operator's status from RoutePolicies and DrainPolicies.
func leavePolicies(ctx context.Context, c client.Client, removed *Removed) error {
	var all v1alpha1.RoutePolicyList
	if err := list(ctx, c, &all); err != nil {
		return err
	}
	var problems []error
	for i := range all.Items {
		changed, err := verdict.ClearPolicy(ctx, c, &all.Items[i])
		if err != nil {
			problems = append(problems, fmt.Errorf("RoutePolicy %s: %w", all.Items[i].Name, err))
		}
		if changed {
			removed.Policies++
		}
	}
	return errors.Join(append(problems, leaveDrains(ctx, c, removed))...)
}

// leaveDrains does the same with DrainPolicies: a manager that is installed later must not
// find nodes listed that drained long ago.
func leaveDrains(ctx context.Context, c client.Client, removed *Removed) error {
	var all v1alpha1.DrainPolicyList
	if err := list(ctx, c, &all); err != nil {
		return err
	}
	var problems []error
	for i := range all.Items {
		changed, err := drain.Clear(ctx, c, &all.Items[i])
		if err != nil {
			problems = append(problems, fmt.Errorf("DrainPolicy %s: %w", all.Items[i].Name, err))
		}
		if changed {
			removed.Policies++
		}
	}
	return errors.Join(problems...)
}

// remove deletes the very object that was looked at.
func remove(ctx context.Context, c client.Client, o client.Object) error {
	uid := o.GetUID()
	return client.IgnoreNotFound(c.Delete(ctx, o, client.Preconditions{UID: &uid}))
}

// leaveAdvertisements deletes the object that the operator created itself, and calls
// leave for the status of the others, which reports whether it changed one.
func leaveAdvertisements(ctx context.Context, c client.Client,
	leave func(context.Context, client.Client, *ovnv1.RouteAdvertisements) (changed bool, err error), removed *Removed,
) error {
	var all ovnv1.RouteAdvertisementsList
	if err := list(ctx, c, &all); err != nil {
		return err
	}
	var problems []error
	for i := range all.Items {
		o := &all.Items[i]
		var err error
		switch {
		case o.Name == model.ManagedName && o.Labels[model.LabelManaged] == "true":
			if err = remove(ctx, c, o); err == nil {
				removed.RouteAdvertisements++
			}
		default:
			var changed bool
			if changed, err = leave(ctx, c, o); changed {
				removed.Statuses++
			}
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("RouteAdvertisements %s: %w", o.Name, err))
		}
	}
	return errors.Join(problems...)
}
