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
