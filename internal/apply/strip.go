package apply

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// annotationLiveHash is on cached objects only, never on the server's.
const annotationLiveHash = "ovnbgp.io/live-hash"

// StripGenerated is a cache transform for FRRConfigurations. Generated ones
// lose their spec, of which only the hash is ever asked, and raw text, if there is any: at
// 5,000 nodes the specs are most of what the manager would hold. All lose their managed
// fields.
func StripGenerated(obj any) (any, error) {
	o, ok := obj.(*frrk8sv1beta1.FRRConfiguration)
	if !ok {
		return obj, nil
	}
	o.ManagedFields = nil
	if !Owned(o) {
		return o, nil
	}
	hash := liveHash(o)
	o.Spec = frrk8sv1beta1.FRRConfigurationSpec{Raw: frrk8sv1beta1.RawConfig{Config: o.Spec.Raw.Config}}
	note(o, annotationLiveHash, strconv.FormatUint(hash, 16))
	return o, nil
}

// liveHash is the hash of an object, whole or stripped.
func liveHash(o *frrk8sv1beta1.FRRConfiguration) uint64 {
	if text, noted := noted(o, annotationLiveHash); noted {
		if hash, err := strconv.ParseUint(text, 16, 64); err == nil {
			return hash
		}
	}
	return render.Hash(o)
}

// note keeps a value on a cached object. The resource version in front
// distinguishes it from an annotation written on the server: the writer of such an
// annotation can't know which version the write will make.
func note(o metav1.Object, key, value string) {
	annotations := maps.Clone(o.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = o.GetResourceVersion() + "/" + value
	o.SetAnnotations(annotations)
}

func noted(o metav1.Object, key string) (string, bool) {
	version, value, found := strings.Cut(o.GetAnnotations()[key], "/")
	return value, found && version != "" && version == o.GetResourceVersion()
}

// StripNode returns a cache transform for Nodes that keeps what a plan depends
// on: labels, internal addresses, whether pods may run there, and the given
// annotations. Nodes change every few seconds in what it drops, and carry their images'
// names.
func StripNode(annotations ...string) func(any) (any, error) {
	return func(obj any) (any, error) {
		o, ok := obj.(*corev1.Node)
		if !ok {
			return obj, nil
		}
		kept := &corev1.Node{
			TypeMeta: o.TypeMeta,
			ObjectMeta: metav1.ObjectMeta{
				Name:              o.Name,
				UID:               o.UID,
				ResourceVersion:   o.ResourceVersion,
				CreationTimestamp: o.CreationTimestamp,
				DeletionTimestamp: o.DeletionTimestamp,
				Labels:            o.Labels,
				Annotations:       only(o.Annotations, annotations),
			},
		}
		kept.Spec.Unschedulable = o.Spec.Unschedulable
		for _, taint := range o.Spec.Taints {
			taint.TimeAdded = nil
			kept.Spec.Taints = append(kept.Spec.Taints, taint)
		}
		for _, address := range o.Status.Addresses {
			if address.Type == corev1.NodeInternalIP {
				kept.Status.Addresses = append(kept.Status.Addresses, address)
			}
		}
		return kept, nil
	}
}

// StripMetadata returns a cache transform for objects of any kind that drops
// managed fields and all annotations but the given ones; for namespaces and
// NetworkAttachmentDefinitions.
func StripMetadata(annotations ...string) func(any) (any, error) {
	return func(obj any) (any, error) {
		o, ok := obj.(metav1.Object)
		if !ok {
			return obj, nil
		}
		o.SetManagedFields(nil)
		o.SetAnnotations(only(o.GetAnnotations(), annotations))
		return obj, nil
	}
}

func only(annotations map[string]string, keys []string) map[string]string {
	kept := map[string]string{}
	for key, value := range annotations {
		if slices.Contains(keys, key) {
			kept[key] = value
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
