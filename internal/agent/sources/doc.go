// Package sources finds out from the API server which networks an agent
// imports routes for, and which subnets no imported route may touch.
//
// Agents run on every node, so it reads the agent's own Node and the few
// cluster-wide kinds that describe networks. It must never cache pods, other
// nodes, or anything else that grows with the cluster.
package sources

// RBAC can't say "its own" of Nodes: the agent asks for that one only.
// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch
// +kubebuilder:rbac:groups=k8s.ovn.org,resources=clusteruserdefinednetworks;routeadvertisements,verbs=list;watch
// +kubebuilder:rbac:groups=k8s.ovn.org,resources=uplinkstates,verbs=list
// +kubebuilder:rbac:groups=discovery.k8s.io,namespace=default,resources=endpointslices,resourceNames=kubernetes,verbs=get
// +kubebuilder:rbac:groups=networking.k8s.io,resources=servicecidrs,verbs=list
// +kubebuilder:rbac:groups=k8s.cni.cncf.io,resources=network-attachment-definitions,verbs=list
