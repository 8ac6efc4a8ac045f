package vtep

import (
	"context"
	"encoding/json"
	"sync"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// atOnce is how many nodes are written at once: when a VTEP is made, all of them change.
const atOnce = 4

// sent is what was written of a node, and the version that the cache showed then. Until it
// shows another one, the same need not be written again.
type sent struct {
	uid            types.UID
	version, value string
}

// publish writes what nodes have into their NodeNetworks, where it differs. A node that
// has no such object yet gets one from the node controller. It returns what failed, by
// node.
func (r *Reconciler) publish(ctx context.Context, found *gathered, addresses map[string]map[string][]addr) map[string]error {
	var mu sync.Mutex
	failed, next := map[string]error{}, make(map[string]sent, len(found.published))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for name, object := range found.published {
		wanted := sent{object.UID, object.ResourceVersion, ovnk.FormatVTEPs(addresses[name])}
		if object.Annotations[model.AnnotationVTEPs] == wanted.value {
			continue
		}
		if r.sent[name] == wanted {
			next[name] = wanted
			continue
		}
		group.Go(func() error {
			err := write(ctx, r.Writer, object, wanted.value)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed[name] = err
				return nil
			}
			next[name] = wanted
			log.FromContext(ctx).V(1).Info("Gave a node its addresses of VTEPs", "node", name, "addresses", wanted.value)
			return nil
		})
	}
	_ = group.Wait()
	r.sent = next
	return failed
}

// write applies the annotation, "" for none, to the very object that was looked at: by its
// UID, so that none is made.
func write(ctx context.Context, c client.Client, object *metav1.PartialObjectMetadata, value string) error {
	annotations := map[string]string{}
	if value != "" {
		annotations[model.AnnotationVTEPs] = value
	}
	target := apply.NetworksMetadata()
	target.Name, target.UID, target.Annotations = object.Name, object.UID, annotations
	text, err := json.Marshal(map[string]any{
		"apiVersion": target.APIVersion, "kind": target.Kind,
		"metadata": map[string]any{"name": target.Name, "uid": target.UID, "annotations": annotations},
	})
	if err != nil {
		return err
	}
	return c.Patch(ctx, target, client.RawPatch(types.ApplyPatchType, text), client.FieldOwner(model.FieldManagerVTEPs), client.ForceOwnership)
}
