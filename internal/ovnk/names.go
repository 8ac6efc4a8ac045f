package ovnk

import (
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

const cudnPrefix = "cluster_udn_"

// NetworkName is OVN-Kubernetes' name for a ClusterUserDefinedNetwork's network.
func NetworkName(cudn string) string { return cudnPrefix + cudn }

// CUDNName is the reverse of NetworkName; ok is false for other networks.
func CUDNName(network string) (cudn string, ok bool) {
	return strings.CutPrefix(network, cudnPrefix)
}

// Names are the names of one network's objects in the OVN Northbound database.
type Names struct{ prefix string }

// NamesOf returns the names for a network: "default", "cluster_udn_<cudn>" or
// "<namespace>_<udn>".
func NamesOf(network string) Names {
	if network == model.DefaultNetwork {
		return Names{}
	}
	return Names{prefix: strings.NewReplacer("-", ".", "/", ".").Replace(network) + "_"}
}

// GatewayRouter is the router between the network and the node's uplink.
func (n Names) GatewayRouter(node string) string { return "GR_" + n.prefix + node }

// GatewayRouterExternalPort is the gateway router's port on the external
// switch: imported routes leave by it.
func (n Names) GatewayRouterExternalPort(node string) string {
	return externalPortPrefix + n.GatewayRouter(node)
}

// RouterOfExternalPort is the gateway router that has this external port, ""
// where it is no such port's name.
func RouterOfExternalPort(port string) string {
	router, found := strings.CutPrefix(port, externalPortPrefix)
	if !found {
		return ""
	}
	return router
}

const externalPortPrefix = "rtoe-"

// ExternalSwitch is the switch between the gateway router and the bridge.
func (n Names) ExternalSwitch(node string) string { return "ext_" + n.prefix + node }

// ExternalSwitchPort is the peer of GatewayRouterExternalPort.
func (n Names) ExternalSwitchPort(node string) string { return "etor-" + n.GatewayRouter(node) }

// JoinSwitch connects the gateway routers of a network with its cluster router.
func (n Names) JoinSwitch() string { return n.prefix + "join" }

// GatewayRouterJoinPort is the gateway router's port on the join switch.
func (n Names) GatewayRouterJoinPort(node string) string { return "rtoj-" + n.GatewayRouter(node) }

// JoinSwitchPort is the peer of GatewayRouterJoinPort.
func (n Names) JoinSwitchPort(node string) string { return "jtor-" + n.GatewayRouter(node) }

// ClusterRouter is the distributed router of a Layer3 network.
func (n Names) ClusterRouter() string { return n.prefix + "ovn_cluster_router" }

// NodeSwitch holds a node's pods in a Layer3 network.
func (n Names) NodeSwitch(node string) string { return n.prefix + node }

// TransitRouter is the distributed router of a Layer2 network.
func (n Names) TransitRouter() string { return n.prefix + "transit_router" }

// Layer2Switch holds all pods of a Layer2 network.
func (n Names) Layer2Switch() string { return n.prefix + "ovn_layer2_switch" }

// GatewayRouterTransitPort is the gateway router's port on the transit router.
func (n Names) GatewayRouterTransitPort(node string) string {
	return "rtotr-" + n.GatewayRouter(node)
}

// TransitRouterPort is the peer of GatewayRouterTransitPort.
func (n Names) TransitRouterPort(node string) string { return "trtor-" + n.GatewayRouter(node) }
