package ovnk

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ControllingCUDN returns the name and UID of the ClusterUserDefinedNetwork whose
// NetworkAttachmentDefinition this is, "" if it is none's. OVN-Kubernetes makes
// these, has the network control them and labels them; anybody who may write in a
// namespace can write another with whatever annotations, and must not say with it
// what another tenant's network is. Whoever asks has to compare the UID with the
// network's, as a name can be written down without having seen the object.
func ControllingCUDN(nad metav1.Object) (name string, uid types.UID) {
	if _, labelled := nad.GetLabels()[LabelUserDefinedNetwork]; !labelled {
		return "", ""
	}
	owner := metav1.GetControllerOfNoCopy(nad)
	if owner == nil || owner.Kind != CUDNKind || !strings.HasPrefix(owner.APIVersion, Group+"/") {
		return "", ""
	}
	if network := nad.GetAnnotations()[AnnotationNetworkName]; network != "" && network != NetworkName(owner.Name) {
		return "", ""
	}
	return owner.Name, owner.UID
}
