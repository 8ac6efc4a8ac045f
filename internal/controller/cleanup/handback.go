package cleanup

import (
	"context"
	"errors"
	"fmt"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/coverage"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/nad"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/verdict"
)

// HandBack hands everything back to OVN-Kubernetes' own controller without a moment
// in which neither advertises. It deletes a generated FRRConfiguration only after
// that controller's own ones do everything that it does. Accepted and the networks'
// annotations, which OVN-Kubernetes' nodes act on, stay, and that controller may then
// write them. HandBack must be run again until it returns no error: anything that
// controller does not do yet is an error.
func HandBack(ctx context.Context, c client.Client) (removed Removed, err error) {
	var all frrk8sv1beta1.FRRConfigurationList
	if err := list(ctx, c, &all); err != nil {
		return removed, err
	}
	others := coverage.In(all.Items)
	var problems []error
	for i := range all.Items {
		o := &all.Items[i]
		if !apply.Owned(o) {
			continue
		}
		err := others.Missing(o)
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
	err = errors.Join(err, leaveAdvertisements(ctx, c, verdict.Release, &removed), deleteNetworks(ctx, c, &removed), leaveVTEPs(ctx, c, &removed), leavePolicies(ctx, c, &removed))
	return removed, err
}

// HandedBack says for people what a hand-back did.
func (r Removed) HandedBack() string {
	return fmt.Sprintf("handed back to OVN-Kubernetes: %d generated FRRConfigurations removed, annotations of %d NetworkAttachmentDefinitions and Accepted of %d RouteAdvertisements left to it, %d managed RouteAdvertisements removed",
		r.FRRConfigurations, r.Annotations, r.Statuses, r.RouteAdvertisements)
}
