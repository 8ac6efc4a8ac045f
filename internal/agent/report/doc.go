// Package report tells the cluster what an agent did: a NodeRouteState named
// after the node, and events for what people should know soon.
//
// It must never decide anything, and never write more often than every few
// seconds, because thousands of nodes do it at once.
package report

// That it is the node's own, config/admission sees to.
// +kubebuilder:rbac:groups=ovnbgp.io,resources=noderoutestates,verbs=get;create
// +kubebuilder:rbac:groups=ovnbgp.io,resources=noderoutestates/status,verbs=update
// Events about objects without a namespace are in "default".
// +kubebuilder:rbac:groups=events.k8s.io,namespace=default,resources=events,verbs=create
