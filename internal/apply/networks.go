package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// Networks brings a node's NodeNetworks to what is desired, nil for none. live is
// what the cache shows of it, nil for nothing.
func (a *Applier) Networks(ctx context.Context, node string, desired *v1alpha1.NodeNetworks, live *LiveObject) (Result, error) {
	var result Result
	key := client.ObjectKey{Name: node}
	view := view{cached: map[client.ObjectKey]LiveObject{}, current: map[client.ObjectKey]LiveObject{}}
	if live != nil {
		view.cached[key], view.current[key] = *live, *live
	}
	a.networks.correct(node, view.current)
	before, exists := view.current[key]
	if desired == nil {
		if !exists || before.Deleting {
			return result, nil
		}
		o := &v1alpha1.NodeNetworks{ObjectMeta: metav1.ObjectMeta{Name: node}}
		err := client.IgnoreNotFound(a.client.Delete(ctx, o, client.Preconditions{UID: &before.UID, ResourceVersion: &before.ResourceVersion}))
		if err != nil {
			return result, fmt.Errorf("NodeNetworks %s: %w", node, err)
		}
		result.Deleted++
		a.networks.remember(node, key, write{at: a.now(), deleted: &before})
		return result, nil
	}
	hash := render.NetworksHash(desired)
	if exists {
		if same, altered := a.networks.same(before, hash); same {
			result.Unchanged++
			if altered {
				result.Altered = append(result.Altered, key)
			}
			return result, nil
		}
	}
	s := &sentNetworks{TypeMeta: desired.TypeMeta, Metadata: metav1.ObjectMeta{Name: node, Labels: desired.Labels}, Spec: desired.Spec}
	if err := a.client.Apply(ctx, s, client.FieldOwner(model.FieldManager), client.ForceOwnership); err != nil {
		return result, fmt.Errorf("NodeNetworks %s: %w", node, err)
	}
	result.Written++
	after := LiveNetworks(&v1alpha1.NodeNetworks{ObjectMeta: s.Metadata, Spec: s.Spec})
	if a.networks.noteAnswer(key, hash, after.Hash) {
		result.Altered = append(result.Altered, key)
	}
	a.networks.remember(node, key, write{at: a.now(), shown: view.cached[key].UID, stored: &after})
	return result, nil
}

// SeenNetworks and GoneNetworks are Seen and Gone for NodeNetworks.
func (a *Applier) SeenNetworks(o *v1alpha1.NodeNetworks) bool {
	return a.networks.saw(o.Name, LiveNetworks(o))
}

// GoneNetworks reports whether a deletion is just the echo of an own one.
func (a *Applier) GoneNetworks(o *v1alpha1.NodeNetworks) bool {
	return a.networks.sawGone(o.Name, LiveNetworks(o))
}

// LiveNetworks reads a LiveObject from a NodeNetworks, whole or stripped. All of the
// kind are the operator's.
func LiveNetworks(o *v1alpha1.NodeNetworks) LiveObject {
	live := LiveObject{
		NamespacedName: client.ObjectKeyFromObject(o), UID: o.UID, ResourceVersion: o.ResourceVersion,
		Owned: true, Deleting: o.DeletionTimestamp != nil, Hash: render.NetworksHash(o),
	}
	if text, found := noted(o, annotationLiveHash); found {
		if hash, err := strconv.ParseUint(text, 16, 64); err == nil {
			live.Hash = hash
		}
	}
	return live
}

// StripNetworks is a cache transform for NodeNetworks, of which only the hash is ever
// asked.
func StripNetworks(o *v1alpha1.NodeNetworks) *v1alpha1.NodeNetworks {
	hash := LiveNetworks(o).Hash
	o.ManagedFields, o.Spec = nil, v1alpha1.NodeNetworksSpec{}
	note(o, annotationLiveHash, strconv.FormatUint(hash, 16))
	return o
}

// sentNetworks is a NodeNetworks on its way to the API server and, after that, the
// server's answer. It is no object itself, which the client would look up.
type sentNetworks struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metav1.ObjectMeta         `json:"metadata"`
	Spec            v1alpha1.NodeNetworksSpec `json:"spec"`
}

// UnmarshalJSON takes the answer into fresh memory, as that of sent does.
func (s *sentNetworks) UnmarshalJSON(text []byte) error {
	type plain sentNetworks
	var fresh plain
	if err := json.Unmarshal(text, &fresh); err != nil {
		return err
	}
	*s = sentNetworks(fresh)
	return nil
}

// IsApplyConfiguration and the getters let the client take it as such.
func (s *sentNetworks) IsApplyConfiguration() {}

// GetName returns the object's name.
func (s *sentNetworks) GetName() *string { return &s.Metadata.Name }

// GetNamespace returns nothing: the kind has none.
func (s *sentNetworks) GetNamespace() *string { return nil }

// GetKind returns the object's kind.
func (s *sentNetworks) GetKind() *string { return &s.Kind }

// GetAPIVersion returns the object's group and version.
func (s *sentNetworks) GetAPIVersion() *string { return &s.APIVersion }
