package cleanup

import (
	"context"
	"errors"
	"fmt"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/nad"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/verdict"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// HandBack gives everything to OVN-Kubernetes' own controller without a moment
// in which nobody advertises: a generated FRRConfiguration goes only once that
// controller's own do all that it does, and Accepted and the networks'
// annotations, which OVN-Kubernetes' nodes act on, stay and become free for
// that controller to write. It may be run again, and has to be until it returns
// no error: what is not taken over yet is one.
func HandBack(ctx context.Context, c client.Client) (removed Removed, err error) {
	var all frrk8sv1beta1.FRRConfigurationList
	if err := list(ctx, c, &all); err != nil {
		return removed, err
	}
	successors := successorsIn(all.Items)
	var problems []error
	for i := range all.Items {
		o := &all.Items[i]
		if !apply.Owned(o) {
			continue
		}
		err := successors.miss(o)
		if err == nil {
			err = remove(ctx, c, o)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("FRRConfiguration %s/%s: %w", o.Namespace, o.Name, err))
			continue
		}
		removed.FRRConfigurations++
	}
	if len(problems) > 0 {
		return removed, errors.Join(problems...)
	}
	removed.Annotations, err = nad.Release(ctx, c)
	err = errors.Join(err, releaseAdvertisements(ctx, c, &removed))
	return removed, err
}

// HandedBack says for people what a hand-back did.
func (r Removed) HandedBack() string {
	return fmt.Sprintf("handed back to OVN-Kubernetes: %d generated FRRConfigurations removed, annotations of %d NetworkAttachmentDefinitions and Accepted of %d RouteAdvertisements left to it, %d managed RouteAdvertisements removed",
		r.FRRConfigurations, r.Annotations, r.Statuses, r.RouteAdvertisements)
}

func releaseAdvertisements(ctx context.Context, c client.Client, removed *Removed) error {
	var all ovnv1.RouteAdvertisementsList
	if err := list(ctx, c, &all); err != nil {
		return err
	}
	var problems []error
	for i := range all.Items {
		o := &all.Items[i]
		var err error
		if o.Name == model.ManagedName && o.Labels[model.LabelManaged] == "true" {
			if err = remove(ctx, c, o); err == nil {
				removed.RouteAdvertisements++
			}
		} else {
			var changed bool
			if changed, err = verdict.Release(ctx, c, o); changed {
				removed.Statuses++
			}
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("RouteAdvertisements %s: %w", o.Name, err))
		}
	}
	return errors.Join(problems...)
}

// successorsIn are the objects that OVN-Kubernetes' own controller generated.
// Those that it made of the managed RouteAdvertisements object go with that.
func successorsIn(all []frrk8sv1beta1.FRRConfiguration) successors {
	var out successors
	for i := range all {
		if o := &all[i]; !apply.Owned(o) && snapshot.IsGenerated(o) && snapshot.GeneratedFor(o) != model.ManagedName {
			out = append(out, o)
		}
	}
	return out
}
