// Package nodenetworks follows the NodeNetworks object that is named after the
// agent's node. It is all that an agent reads of the cluster: what a node does for
// each network is the manager's decision, and the agent's flags only add to what
// imported routes must not touch.
//
// It must never read anything else, and never interpret networks, RouteAdvertisements
// or annotations itself: two readings disagree sooner or later, and one of them opens
// SNAT for a network that nobody advertises.
package nodenetworks

// RBAC can't say "its own": the shared account of a DaemonSet may read every node's.
// Without "list" there is at least no way to ask for all of them at once.
// +kubebuilder:rbac:groups=ovnbgp.io,resources=nodenetworks,verbs=get;watch
