package cni

import (
	"strconv"
	"strings"
)

// The names of a network's objects in OVN, written down from the contract and
// not taken from the operator's code, which is what finds them.

// prefix is what the names begin with.
func (n *Network) prefix() string {
	if n.isDefault() {
		return ""
	}
	return strings.NewReplacer("-", ".", "/", ".").Replace(n.Name) + "_"
}

func (n *Network) gatewayRouter(node string) string { return "GR_" + n.prefix() + node }

// externalSwitch lies between the gateway router and the node's bridge;
// localnetPort is its port on the bridge, and localnetPatch what ovn-controller
// calls the bridge's end of that.
func (n *Network) externalSwitch(node string) string { return "ext_" + n.prefix() + node }
func (n *Network) localnetPort(node string) string   { return Bridge + "_" + n.prefix() + node }
func (n *Network) localnetPatch(node string) string {
	return "patch-" + n.localnetPort(node) + "-to-br-int"
}

func (n *Network) joinSwitch() string    { return n.prefix() + "join" }
func (n *Network) transitSwitch() string { return n.prefix() + "transit_switch" }

// clusterRouter is the distributed router, which a Layer2 network calls its
// transit router.
func (n *Network) clusterRouter() string {
	if n.Topology == Layer2 {
		return n.prefix() + "transit_router"
	}
	return n.prefix() + "ovn_cluster_router"
}

// podSwitch is the switch of a node's pods: its own, or a Layer2 network's one.
func (n *Network) podSwitch(node string) string {
	if n.Topology == Layer2 {
		return n.prefix() + "ovn_layer2_switch"
	}
	return n.prefix() + node
}

// routerToPods and podsToRouter are the ends of the link between the cluster
// router and a switch of pods.
func (n *Network) routerToPods(node string) string {
	if n.Topology == Layer2 {
		return "trtos-" + n.podSwitch(node)
	}
	return "rtos-" + n.podSwitch(node)
}

func (n *Network) podsToRouter(node string) string {
	if n.Topology == Layer2 {
		return "stotr-" + n.podSwitch(node)
	}
	return "stor-" + n.podSwitch(node)
}

// managementPort is the switch port of the node's own interface in the
// network; ManagementInterface in node.go is that interface.
func (n *Network) managementPort(node string) string { return "k8s-" + n.prefix() + node }

// tunnelBridge and tunnelDevice are the devices of a VTEP on a node.
func tunnelBridge(vtep string) string { return "evbr-" + vtep }
func tunnelDevice(vtep string) string { return "evx4-" + vtep }

// routedInterface is the node's interface in the network's IP-VRF,
// switchedInterface that in its MAC-VRF, and macVRFDevice what joins that with the
// network's switch, by macVRFPort.
func (n *Network) routedInterface() string   { return n.numberedIfLong("svl3") }
func (n *Network) switchedInterface() string { return n.numberedIfLong("svl2") }
func (n *Network) macVRFDevice() string      { return n.numberedIfLong("ovl2") }
func (n *Network) macVRFPort() string        { return "macvrf-" + n.podSwitch("") }

// numberedIfLong is the name of a device, which has room for 15 characters.
func (n *Network) numberedIfLong(kind string) string {
	name := kind + "-" + strings.TrimPrefix(n.Name, "cluster_udn_")
	if len(name) > 15 {
		return kind + "." + strconv.Itoa(n.ID)
	}
	return name
}

// podPort is the switch port of a pod.
func (n *Network) podPort(nad, namespace, pod string) string {
	port := namespace + "_" + pod
	if n.isDefault() {
		return port
	}
	return strings.NewReplacer("-", ".", "/", ".").Replace(nad) + "_" + port
}
