package ovnk

// Annotations of a node that give subnets of the cluster's infrastructure, by the
// address that the node has in them; ParsePrimaryAddresses reads both.
const (
	AnnotationMasqueradeSubnet = "k8s.ovn.org/node-masquerade-subnet"
	AnnotationTransitAddress   = "k8s.ovn.org/node-transit-switch-port-ifaddr"
)
