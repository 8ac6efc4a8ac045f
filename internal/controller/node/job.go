package node

import (
	"context"
	"net/netip"
	"slices"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/outcome"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// job is one round of work on one node.
type job struct {
	*Reconciler
	revision *current.Revision
	// object is the node as the API has it.
	object *corev1.Node
	node   *model.Node
	// report is what the node's agent says.
	report model.AgentReport
	// allocated are the addresses of VTEPs that it was given.
	allocated map[string][]netip.Addr
	live      []apply.LiveObject
	// state is what the node's frr-k8s reports, nil for nothing.
	state *frrk8sv1beta1.FRRNodeState
	// aside are the RouteAdvertisements that another controller works on and that
	// is still to cover what was applied for them on this node.
	aside map[string]bool
	// withheld is set where the node may not have the raw text that is planned for it.
	withheld rawDecision
}

// read returns a version of the node as the planner sees it.
func (j *job) read(object *corev1.Node) *model.Node {
	node := j.revision.Nodes.Node(object)
	node.Layer2, node.EVPN, node.Allocated = j.report.Layer2, j.report.EVPN, j.allocated
	return &node
}

// attempt is a plan with the objects that it renders to.
type attempt struct {
	plan    model.NodePlan
	objects []*frrk8sv1beta1.FRRConfiguration
}

// run applies the node's plan, or as much of it as is taken. It returns the
// parts with what became of them, and when to try the rest again, 0 for not.
func (j *job) run(ctx context.Context) (parts []model.NodePart, again time.Duration) {
	whole := j.planned(ctx)
	if whole.plan.Keep {
		return j.keep(ctx, &whole)
	}
	j.known.remember(j.object)
	inputs := fingerprint(j.revision.Number, whole.objects)
	if refused, wait := j.retries.refused(j.node.Name, inputs, j.Now()); wait > 0 {
		return j.applyWithout(ctx, &whole, refused, wait)
	}
	err := j.apply(ctx, &whole)
	if err == nil {
		if err := j.publish(ctx, &whole.plan); err != nil {
			return j.retryPublishing(ctx, j.written(whole.plan.Parts), err)
		}
		j.retries.forget(j.node.Name)
		return j.written(whole.plan.Parts), 0
	}
	if !slices.ContainsFunc(apply.Errors(err), isRefusal) {
		return j.failed(ctx, &whole, err)
	}
	refused, err := j.findRefused(ctx, &whole)
	if err != nil {
		return j.failed(ctx, &whole, err)
	}
	wait := j.retries.refuse(j.node.Name, inputs, refused, j.Now())
	for name, reason := range refused {
		j.Metrics.Refused(name)
		log.FromContext(ctx).Info("The API server refused a part of the node's configuration; the rest is applied",
			"routeAdvertisements", name, "reason", reason.Error(), "retryAfter", wait)
	}
	return j.applyWithout(ctx, &whole, refused, wait)
}

// keep leaves the node with what follows from its last known state.
func (j *job) keep(ctx context.Context, whole *attempt) (parts []model.NodePart, again time.Duration) {
	object := j.known.node(j.node.Name)
	if object == nil {
		return j.keepApplied(ctx, whole)
	}
	before := *j
	before.object, before.node = object, j.read(object)
	last := before.planned(ctx)
	if last.plan.Keep {
		return j.keepApplied(ctx, whole)
	}
	if err := before.apply(ctx, &last); err != nil {
		_, again = before.failed(ctx, &last, err)
	} else if err := before.publish(ctx, &last.plan); err != nil {
		return before.retryPublishing(ctx, whole.plan.Parts, err)
	}
	return whole.plan.Parts, again
}

// keepApplied leaves the node with what was last applied.
func (j *job) keepApplied(ctx context.Context, whole *attempt) ([]model.NodePart, time.Duration) {
	parts := withApplied(whole.plan.Parts, j.live)
	if err := j.publishNothing(ctx); err != nil {
		return j.retryPublishing(ctx, parts, err)
	}
	return parts, 0
}

func isRefusal(e *apply.Error) bool { return e.Kind == apply.Refused }

func (j *job) attempt(without map[string]bool) attempt {
	started := j.Now()
	p := j.revision.NodeKeeping(j.node, without, j.aside)
	objects := render.Node(&p)
	j.withheld.finish(objects)
	j.Metrics.Planned(j.Now().Sub(started))
	return attempt{plan: p, objects: objects}
}

func (j *job) apply(ctx context.Context, a *attempt) error {
	return j.applyBut(ctx, a, func(apply.LiveObject) bool { return false })
}

func (j *job) applyBut(ctx context.Context, a *attempt, keep func(apply.LiveObject) bool) error {
	if j.ObserveOnly {
		return nil
	}
	result, err := j.Applier.NodeBut(ctx, j.node.Name, a.objects, j.live, keep)
	if len(result.Altered) > 0 {
		log.FromContext(ctx).Info("The API server stored something else than was sent: "+
			"the CRD of FRRConfigurations is older than the operator, or a webhook changed the objects", "objects", result.Altered)
	}
	if err == nil && j.withheld.withdraws {
		// Whoever waits for the node may go on only now, and no watch tells of own writes.
		j.Nodes.Later(j.node.Name)
	}
	return err
}

// findRefused finds the RouteAdvertisements without which the rest is taken.
func (j *job) findRefused(ctx context.Context, whole *attempt) (map[string]error, error) {
	admission := apply.Admission{
		RefusedBefore: j.retries.refusedBefore(j.node.Name),
		Render: func(without map[string]bool) []*frrk8sv1beta1.FRRConfiguration {
			return j.attempt(without).objects
		},
		Try: j.Applier.Try,
	}
	for i := range whole.plan.Parts {
		if part := &whole.plan.Parts[i]; part.State == model.PartPlanned {
			admission.Contributors = append(admission.Contributors, part.RA)
		}
	}
	_, refused, err := admission.Run(ctx)
	return refused, err
}

// applyWithout applies what is left without the refused RouteAdvertisements,
// whose parts it marks.
func (j *job) applyWithout(ctx context.Context, whole *attempt, refused map[string]error, again time.Duration) ([]model.NodePart, time.Duration) {
	without := make(map[string]bool, len(refused))
	for name := range refused {
		without[name] = true
	}
	rest := j.attempt(without)
	rest.plan.Parts = withRefused(whole.plan.Parts, rest.plan.Parts, refused, j.node.Name)
	keep := keeps(&whole.plan, &rest.plan)
	markKept(rest.plan.Parts, refused, j.live, keep)
	if err := j.applyBut(ctx, &rest, keep); err != nil {
		parts, sooner := j.failed(ctx, &rest, err)
		return parts, min(sooner, again)
	}
	publish := j.publish
	if slices.ContainsFunc(rest.plan.Parts, func(part model.NodePart) bool { return part.State == model.PartKept }) {
		publish = j.publishBesideKept
	}
	if err := publish(ctx, &rest.plan); err != nil {
		parts, sooner := j.retryPublishing(ctx, j.written(rest.plan.Parts), err)
		return parts, min(sooner, again)
	}
	return j.written(rest.plan.Parts), again
}

// written are the parts after their objects were applied, which an observer does not.
func (j *job) written(parts []model.NodePart) []model.NodePart {
	if j.ObserveOnly {
		return parts
	}
	return outcome.MoveAll(parts, model.PartWritten)
}

// retryPublishing tries later to write what the node's agent has to do.
func (j *job) retryPublishing(ctx context.Context, parts []model.NodePart, err error) ([]model.NodePart, time.Duration) {
	again := j.retries.fail(j.node.Name)
	log.FromContext(ctx).Info("Could not write the node's NodeNetworks, which its agent follows; trying again",
		"reason", err.Error(), "retryAfter", again)
	return unpublished(parts, err), again
}

// failed marks the parts whose objects could not be written.
func (j *job) failed(ctx context.Context, a *attempt, err error) ([]model.NodePart, time.Duration) {
	again := j.retries.fail(j.node.Name)
	log.FromContext(ctx).Info("Could not write all of the node's configuration; trying again",
		"reason", err.Error(), "retryAfter", again)
	return withFailures(&a.plan, err), again
}
