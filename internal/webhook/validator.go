package webhook

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sync/semaphore"
	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

const (
	// Path is where reviews are sent to.
	Path = "/validate"
	// patience is less than the API server's, so that people get to read why
	// nothing was checked.
	patience = 1500 * time.Millisecond
	// atOnce is how many reviews are worked on at once. A burst of them must
	// not keep the manager from its routes.
	atOnce = 2
)

// Validator answers admission reviews of RouteAdvertisements, RoutePolicies,
// DrainPolicies, ClusterUserDefinedNetworks and FRRConfigurations.
type Validator struct {
	reader   client.Reader
	rights   authorizer.Authorizer
	settings model.Settings
	figures  *Metrics
	now      func() time.Time
	slots    *semaphore.Weighted
}

// NewValidator returns a Validator. The reader has to read from a cache: every
// review lists the cluster. rights decides what users may read. figures may be nil.
func NewValidator(reader client.Reader, rights authorizer.Authorizer, settings model.Settings, figures *Metrics, now func() time.Time) *Validator {
	return &Validator{reader: reader, rights: rights, settings: settings, figures: figures, now: now, slots: semaphore.NewWeighted(atOnce)}
}

// Handle answers one review: the API server's, for users who may read other
// objects, with what it would bring about, all others by the object alone.
func (v *Validator) Handle(ctx context.Context, request admission.Request) (response admission.Response) {
	outcome := outcomeUnchecked
	defer func() {
		if cause := recover(); cause != nil {
			// controller-runtime would answer with an error, which denies.
			log.FromContext(ctx).Error(fmt.Errorf("panic: %v", cause), "An admission review failed and was let pass", "stack", string(debug.Stack()))
			outcome, response = outcomeUnchecked, unchecked(errors.New("the operator failed: its log says how"))
		}
		v.figures.count(request.Kind.Kind, outcome)
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	change, err := newChange(&request, v.now())
	if err != nil {
		return unchecked(err)
	}
	if change == nil {
		outcome = outcomeAllowed
		return admission.Allowed("")
	}
	if fault := change.fault(v.settings); fault != "" && change.specChanged {
		outcome = outcomeDenied
		return admission.Denied(fault)
	}
	if !fromAPIServer(ctx) {
		// What other objects have to do with this one is no stranger's business.
		outcome = outcomeStranger
		return admission.Allowed("").WithWarnings(change.remarks(nil)...)
	}
	if why := v.withheld(ctx, &request.UserInfo); why != "" {
		outcome = outcomeWithheld
		return admission.Allowed("").WithWarnings(append(change.remarks(nil), why)...)
	}
	if err := v.slots.Acquire(ctx, 1); err != nil {
		return unchecked(errors.New("the operator has too many reviews to answer"))
	}
	defer v.slots.Release(1)
	objects, err := snapshot.Gather(ctx, v.reader, snapshot.Options{WithoutNodeStates: true, WithoutAPIServer: true, WithAllocations: v.settings.ManageVTEPs, Now: v.now})
	if err != nil {
		return unchecked(err)
	}
	warnings := v.warnings(change, objects)
	outcome = outcomeAllowed
	if len(warnings) > 0 {
		outcome = outcomeWarned
	}
	return admission.Allowed("").WithWarnings(warnings...)
}

// unchecked lets an object pass that nothing is known about.
func unchecked(cause error) admission.Response {
	return admission.Allowed("").WithWarnings(warning("not checked by the BGP operator: " + cause.Error()))
}

// warnings are what the change brings about, as people read it.
func (v *Validator) warnings(c *change, objects *snapshot.Objects) []string {
	with, without := c.views(objects)
	before, after := compile(without, v.settings), compile(with, v.settings)
	sample := sampleNodes(before, after)
	old := before.troubles(sample)
	var fresh []trouble
	for key, t := range after.troubles(sample) {
		_, known := old[key]
		if c.expected(t) || known && !c.about(t) {
			continue
		}
		fresh = append(fresh, *t)
	}
	return append(c.remarks(objects.Nodes), texts(fresh, c.about)...)
}

// deleting reports whether the object is to go, or is on its way.
func deleting(request *admission.Request, object client.Object) bool {
	return request.Operation == admissionv1.Delete || object != nil && object.GetDeletionTimestamp() != nil
}
