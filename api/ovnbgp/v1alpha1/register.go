// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the operator's own API group.
const GroupName = "ovnbgp.io"

var (
	// GroupVersion is the group and version of every type in this package.
	GroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1alpha1"}

	// SchemeBuilder collects what AddToScheme registers.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme makes a scheme know the types in this package.
	AddToScheme = SchemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &NodeNetworks{}, &NodeNetworksList{}, &NodeRouteState{}, &NodeRouteStateList{},
		&RoutePolicy{}, &RoutePolicyList{}, &DrainPolicy{}, &DrainPolicyList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
