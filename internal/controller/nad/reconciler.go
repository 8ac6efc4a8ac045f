package nad

import (
	"context"
	"encoding/json"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// +kubebuilder:rbac:groups=k8s.cni.cncf.io,resources=network-attachment-definitions,verbs=list;watch;patch

// lastRetry is the longest that a failed write waits for the next try.
const lastRetry = time.Minute

// Reconciler keeps the annotation of one NetworkAttachmentDefinition.
type Reconciler struct {
	// Client and Reader read from the cache. Reader knows whether there is such a kind.
	Reader  client.Reader
	Client  client.Client
	Rollout *current.Rollout
	Tallies *current.Tallies
	// Default names the default network's NetworkAttachmentDefinition, which
	// no ClusterUserDefinedNetwork owns.
	Default types.NamespacedName
	// Findings are told in the conditions of the RouteAdvertisements.
	Findings *current.ControllerFindings
	// ObserveOnly writes nothing.
	ObserveOnly bool
}

// Reconcile writes the annotation where it has to change.
func (r *Reconciler) Reconcile(ctx context.Context, key types.NamespacedName) (ctrl.Result, error) {
	revision := r.Rollout.Revision()
	if revision == nil || r.ObserveOnly {
		// The first revision asks for every NetworkAttachmentDefinition.
		return ctrl.Result{}, nil
	}
	source := "nad/" + key.String()
	var object nadv1.NetworkAttachmentDefinition
	err := r.Client.Get(ctx, key, &object, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		r.Findings.Clear(source)
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	network := NetworkOf(&object, r.Default)
	ours, err := r.advertising(ctx, network, revision, &object)
	if err != nil {
		return ctrl.Result{}, err
	}
	changes, malformed := merge(object.Annotations, ours, revision.Decides)
	if malformed != nil {
		log.FromContext(ctx).Info("Replacing a malformed annotation", "reason", malformed.Error())
	}
	if len(changes) == 0 {
		r.Findings.Clear(source)
		return ctrl.Result{}, nil
	}
	err = write(ctx, r.Client, &object, changes)
	switch {
	case err == nil, apierrors.IsNotFound(err):
		r.Findings.Clear(source)
		return ctrl.Result{}, nil
	case apierrors.IsConflict(err):
		// The cache is behind; what it shows next leads here again.
		return ctrl.Result{RequeueAfter: time.Second}, nil
	}
	r.Findings.Set(source, ours, finding.AnnotationNotWritten(network, key.String(), ovnk.AnnotationRouteAdvertisements, err))
	return ctrl.Result{}, err
}

// write changes the annotations of the very version that was looked at: the
// value is one string, which others write too. The cache doesn't hold all of
// the object, so that a patch must name what it changes and nothing else.
func write(ctx context.Context, c client.Client, object *nadv1.NetworkAttachmentDefinition, changes map[string]*string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": object.ResourceVersion, "annotations": changes,
	}})
	if err != nil {
		return err
	}
	target := &nadv1.NetworkAttachmentDefinition{ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: object.Name}}
	return c.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(model.FieldManager))
}
