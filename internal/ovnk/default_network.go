package ovnk

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// TransportNoOverlay is the transport in the configuration of a
// NetworkAttachmentDefinition whose network has no tunnels.
const TransportNoOverlay = "no-overlay"

// NADTransport reads the transport out of a NetworkAttachmentDefinition's
// spec.config, "" where it names none, as on an overlay.
func NADTransport(config string) (string, error) {
	if config == "" {
		return "", nil
	}
	var parsed struct {
		Transport string `json:"transport"`
	}
	if err := json.Unmarshal([]byte(config), &parsed); err != nil {
		return "", fmt.Errorf("spec.config is not JSON: %w", err)
	}
	return parsed.Transport, nil
}

// ParseClusterSubnets parses subnets as OVN-Kubernetes' --cluster-subnets has
// them: CIDR/LENGTH, where LENGTH is the prefix length of the nodes' parts and
// may be left out.
func ParseClusterSubnets(list []string) ([]model.NetworkSubnet, error) {
	var out []model.NetworkSubnet
	for _, text := range list {
		subnet, err := parseClusterSubnet(text)
		if err != nil {
			return nil, err
		}
		for _, other := range out {
			if other.Prefix.Overlaps(subnet.Prefix) {
				return nil, fmt.Errorf("%s and %s overlap", other.Prefix, subnet.Prefix)
			}
		}
		out = append(out, subnet)
	}
	return out, nil
}

// ParseServiceSubnets parses subnets as OVN-Kubernetes' --k8s-service-cidrs has
// them.
func ParseServiceSubnets(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range list {
		prefix, err := netip.ParsePrefix(text)
		if err != nil || prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is not a subnet: write it as 10.96.0.0/16 or fd00:10:96::/112", text)
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

func parseClusterSubnet(text string) (model.NetworkSubnet, error) {
	cidr, length := text, ""
	if strings.Count(text, "/") == 2 {
		end := strings.LastIndexByte(text, '/')
		cidr, length = text[:end], text[end+1:]
	}
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil || prefix.Addr().Is4In6() {
		return model.NetworkSubnet{}, fmt.Errorf("%q is not a subnet: write it as 10.244.0.0/16/24 or fd00:10:244::/48/64", text)
	}
	out := model.NetworkSubnet{Prefix: prefix.Masked(), HostLength: DefaultHostLength(prefix.Addr())}
	if length != "" {
		if out.HostLength, err = strconv.Atoi(length); err != nil {
			return model.NetworkSubnet{}, fmt.Errorf("%q: %q is not the length of a node's subnet", text, length)
		}
	}
	if out.HostLength <= prefix.Bits() || out.HostLength >= prefix.Addr().BitLen() {
		return model.NetworkSubnet{}, fmt.Errorf("%q: nodes can't get subnets of length %d out of %s: use a length between %d and %d",
			text, out.HostLength, out.Prefix, prefix.Bits()+1, prefix.Addr().BitLen()-1)
	}
	return out, nil
}

// DefaultHostLength is the prefix length of nodes' subnets if OVN-Kubernetes'
// configuration has none.
func DefaultHostLength(address netip.Addr) int {
	if address.Is6() {
		return 64
	}
	return 24
}
