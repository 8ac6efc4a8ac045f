package node

import (
	"context"
	"errors"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/coverage"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// lookForCover is how often a node is looked at again while another controller is
// to take over what was applied there. It writes an object for each node.
const lookForCover = 5 * time.Second

// uncovered returns the RouteAdvertisements for which the node has an object of ours,
// which another controller handles, and which that controller does not advertise there
// as ours does yet. What was applied for them stays until it does: otherwise nothing
// would advertise it in between. The operator withdraws only because of what that
// controller really does.
func (j *job) uncovered(ctx context.Context) (map[string]bool, error) {
	applied := map[string]bool{}
	for _, o := range j.live {
		for _, ra := range o.Contributors {
			if o.Owned && j.revision.StandsAside(ra) {
				applied[ra] = true
			}
		}
	}
	if len(applied) == 0 {
		return nil, nil
	}
	var all frrk8sv1beta1.FRRConfigurationList
	if err := j.Reader.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	others := coverage.In(all.Items)
	for ra := range applied {
		if reason := j.missing(ra, others); reason != nil {
			log.FromContext(ctx).V(1).Info("Keeping what was applied until the other controller advertises it",
				"routeAdvertisements", ra, "reason", reason.Error())
			continue
		}
		delete(applied, ra)
	}
	return applied, nil
}

// missing returns what the other controller does not do on the node, of all that the
// operator would do there for the object alone.
func (j *job) missing(ra string, others coverage.Others) error {
	without := map[string]bool{}
	for _, name := range j.revision.RouteAdvertisements() {
		without[name] = name != ra
	}
	alone := j.revision.NodeKeeping(j.node, without, map[string]bool{ra: true})
	if alone.Keep {
		return errors.New("the node's state is unknown")
	}
	for _, o := range render.Node(&alone) {
		if err := others.Missing(o); err != nil {
			return err
		}
	}
	return nil
}

// sooner is the shorter of two waits, of which 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}
