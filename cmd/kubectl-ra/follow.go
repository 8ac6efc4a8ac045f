package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// watchAgain is how long to wait before a watch is begun again that ended at once.
const watchAgain = time.Second

// look is asked whenever DrainPolicies changed, and after the time that it returned, 0 for
// never. late is set once --timeout has passed.
type look func(policies []v1alpha1.DrainPolicy, late bool) (done bool, again time.Duration, err error)

// follow asks until look is done.
func (d *drain) follow(ctx context.Context, look look) error {
	deadline := time.NewTimer(d.timeout)
	defer deadline.Stop()
	late := false
	for {
		var list v1alpha1.DrainPolicyList
		if err := d.api.List(ctx, &list); err != nil {
			return fmt.Errorf("DrainPolicies can't be read any more: %w", err)
		}
		done, again, err := look(list.Items, late)
		if done || err != nil {
			return err
		}
		if late, err = d.change(ctx, list.ResourceVersion, again, deadline.C); err != nil {
			return err
		}
	}
}

// change returns when something of DrainPolicies changed since a version, or when the time
// has passed, or the deadline, which it reports.
func (d *drain) change(ctx context.Context, since string, again time.Duration, deadline <-chan time.Time) (late bool, err error) {
	events, err := d.api.Watch(ctx, &v1alpha1.DrainPolicyList{}, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: since}})
	if err != nil {
		return false, fmt.Errorf("DrainPolicies can't be watched: %w", err)
	}
	defer events.Stop()
	var timer <-chan time.Time
	if again > 0 {
		timer = time.After(again)
	}
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-deadline:
		return true, nil
	case <-timer:
		return false, nil
	case _, open := <-events.ResultChan():
		if open {
			return false, nil
		}
	}
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-deadline:
		return true, nil
	case <-time.After(watchAgain):
		return false, nil
	}
}

// listedBy is the entry of a node in the status of the policies, nil for none.
func listedBy(policies []v1alpha1.DrainPolicy, node string) *v1alpha1.DrainingNode {
	for i := range policies {
		nodes := policies[i].Status.Nodes
		if j := slices.IndexFunc(nodes, func(n v1alpha1.DrainingNode) bool { return n.Name == node }); j >= 0 {
			return &nodes[j]
		}
	}
	return nil
}

// drained waits until a node has drained.
type drained struct {
	*drain
	node   string
	policy *model.DrainPolicy
	// phase is the last one that was told, and settles when traffic has had its time.
	phase   v1alpha1.DrainPhase
	settles time.Time
	// looked is set after the first look.
	looked bool
}

// notDrained means that the operator or FRR did not take the drain up in time.
func (w *drained) notDrained() error {
	if w.phase == "" {
		return fmt.Errorf("node %q is cordoned, and after %s the operator has not begun to drain it: see whether the manager runs; the node stays cordoned", w.node, w.timeout)
	}
	return fmt.Errorf("node %q is cordoned, and after %s its FRR does not have its routes marked (phase %s): "+
		"see the condition FRRConfigured of the RouteAdvertisements, and the log of frr-k8s on the node; the node stays cordoned", w.node, w.timeout, w.phase)
}

func (w *drained) look(policies []v1alpha1.DrainPolicy, late bool) (done bool, again time.Duration, err error) {
	n := listedBy(policies, w.node)
	now := w.now()
	defer func() { w.looked = true }()
	if n == nil || n.Phase == v1alpha1.DrainPending || n.Phase == v1alpha1.DrainReturning {
		if n != nil && n.Phase != w.phase {
			w.phase, w.settles = n.Phase, time.Time{}
			w.say("phase %s: FRR does not have its routes marked yet", n.Phase)
		}
		if late {
			return false, 0, w.notDrained()
		}
		return false, 0, nil
	}
	if w.settles.IsZero() {
		w.settles = w.settled(n, now)
	}
	left := w.settles.Sub(now)
	if n.Phase != w.phase {
		w.phase = n.Phase
		text := map[v1alpha1.DrainPhase]string{
			v1alpha1.DrainDraining:  "FRR has its routes marked",
			v1alpha1.DrainWithdrawn: "it withdraws what DrainPolicy " + w.policy.Name + " says",
		}[n.Phase]
		w.say("phase %s: %s; %s left for traffic to move", n.Phase, text, max(left, 0).Round(time.Second))
	}
	return left <= 0, left, nil
}

// settled is when traffic has had the time to move. Where the command saw FRR get the
// routes, it goes by its own clock: the operator's may differ.
func (w *drained) settled(n *v1alpha1.DrainingNode, now time.Time) time.Time {
	marked := n.Since.Time
	if n.Phase == v1alpha1.DrainWithdrawn {
		marked = marked.Add(-w.policy.WithdrawAfter)
	}
	if w.looked || marked.After(now) {
		marked = now
	}
	return marked.Add(w.settle)
}

// returned waits until a node drains no longer.
type returned struct {
	*drain
	node  string
	phase v1alpha1.DrainPhase
}

func (w *returned) look(policies []v1alpha1.DrainPolicy, late bool) (done bool, again time.Duration, err error) {
	n := listedBy(policies, w.node)
	if n == nil {
		return true, 0, nil
	}
	if n.Phase != w.phase {
		w.phase = n.Phase
		if n.Phase == v1alpha1.DrainReturning {
			w.say("phase %s: its routes will be as before in half a minute", n.Phase)
		}
	}
	if late {
		return false, 0, fmt.Errorf("node %q is uncordoned, and after %s it still drains (phase %s): see whether the manager runs", w.node, w.timeout, n.Phase)
	}
	return false, 0, nil
}
