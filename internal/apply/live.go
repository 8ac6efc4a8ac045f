package apply

import (
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// LiveObject is what has to be known of an object that is in the cluster.
type LiveObject struct {
	types.NamespacedName
	UID             types.UID
	ResourceVersion string
	// Owned is what the function of that name says.
	Owned bool
	// Deleting is set while finalizers hold up the object's deletion.
	Deleting bool
	// Hash is render.Hash of the object; only owned ones have it.
	Hash uint64
	// Contributors are the RouteAdvertisements that an owned object comes from.
	Contributors []string
	// Raw is the raw text of an owned object, and RawRefused what is noted there of a text
	// that FRR did not take.
	Raw, RawRefused string
}

// Live reads a LiveObject from an object, whole or stripped by StripGenerated.
func Live(o *frrk8sv1beta1.FRRConfiguration) LiveObject {
	live := LiveObject{
		NamespacedName:  client.ObjectKeyFromObject(o),
		UID:             o.UID,
		ResourceVersion: o.ResourceVersion,
		Owned:           Owned(o),
		Deleting:        o.DeletionTimestamp != nil,
	}
	if live.Owned {
		live.Hash = liveHash(o)
		live.Contributors = render.Contributors(o)
		live.Raw, live.RawRefused = o.Spec.Raw.Config, o.Annotations[render.AnnotationRawRefused]
	}
	return live
}

// Owned reports whether the operator generated the object.
func Owned(o metav1.Object) bool {
	return model.Generated(o.GetName(), o.GetLabels(), o.GetAnnotations())
}

// NodeOf returns the node that a generated object is for, "" if neither its name
// nor its annotation says so. The name counts more, because it can't be edited;
// the annotation is for names that had to be shortened, and for copies.
func NodeOf(o metav1.Object) string {
	if node := render.NodeOf(o.GetName()); node != "" {
		return node
	}
	if !Owned(o) {
		return ""
	}
	node := o.GetAnnotations()[model.AnnotationNode]
	if suffix := render.SuffixOf(o.GetName()); suffix != "" && suffix != render.Suffix(node) {
		return ""
	}
	return node
}

// NodeIndexKey is what IndexByNode files a node's objects under.
func NodeIndexKey(node string) string { return render.Suffix(node) }

// IndexByNode is an index function for FRRConfigurations. Applier.Node wants
// all objects that it files under a node's key: the generated ones, and those
// of others that have the name of a generated one.
func IndexByNode(o client.Object) []string {
	if suffix := render.SuffixOf(o.GetName()); suffix != "" {
		return []string{suffix}
	}
	if node := NodeOf(o); node != "" {
		return []string{NodeIndexKey(node)}
	}
	return nil
}
