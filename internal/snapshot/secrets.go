package snapshot

import (
	"cmp"
	"fmt"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// secrets are those that are known, by namespace and name.
type secrets map[types.NamespacedName]*corev1.Secret

func indexSecrets(list []corev1.Secret) secrets {
	out := make(secrets, len(list))
	for i := range list {
		out[types.NamespacedName{Namespace: list[i].Namespace, Name: list[i].Name}] = &list[i]
	}
	return out
}

// refused returns what frr-k8s (v0.0.26, passwordForNeighbor) would refuse in the
// object because of a Secret that it names, nil for nothing. It says nothing about
// a Secret that is not known.
func (s secrets) refused(c *frrk8sv1beta1.FRRConfiguration) *model.Problem {
	if len(s) == 0 {
		return nil
	}
	for i := range c.Spec.BGP.Routers {
		r := &c.Spec.BGP.Routers[i]
		for j := range r.Neighbors {
			n := &r.Neighbors[j]
			if fault := s.fault(c.Namespace, n); fault != "" {
				return refusedFor(c, fmt.Sprintf("the router in VRF %q has neighbor %s, whose passwordSecret %s", cmp.Or(r.VRF, model.DefaultVRF), cmp.Or(n.Address, n.Interface), fault))
			}
		}
	}
	return nil
}

// fault is what is wrong with the Secret of a neighbor. frr-k8s looks for it by its
// name in its own namespace, which is the object's, whatever the reference says.
func (s secrets) fault(namespace string, n *frrk8sv1beta1.Neighbor) string {
	name := n.PasswordSecret.Name
	if name == "" {
		return ""
	}
	secret := s[types.NamespacedName{Namespace: namespace, Name: name}]
	if secret == nil {
		if elsewhere := n.PasswordSecret.Namespace; s[types.NamespacedName{Namespace: elsewhere, Name: name}] != nil {
			return fmt.Sprintf("%q is in namespace %q, and frr-k8s reads Secrets of its own namespace alone: make it in %q", name, elsewhere, namespace)
		}
		return ""
	}
	if kind := cmp.Or(secret.Type, corev1.SecretTypeOpaque); kind != corev1.SecretTypeBasicAuth {
		return fmt.Sprintf("%q is of type %s, and has to be of type %s: make the Secret anew, as its type can't be changed", name, kind, corev1.SecretTypeBasicAuth)
	}
	_, has := secret.Data[corev1.BasicAuthPasswordKey]
	if _, written := secret.StringData[corev1.BasicAuthPasswordKey]; !has && !written {
		return fmt.Sprintf("%q lacks the key %q: add it, with the password", name, corev1.BasicAuthPasswordKey)
	}
	return ""
}
