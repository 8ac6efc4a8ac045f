package ovnk

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// GatewayConfig is what l3-gateway-config says of the default network's
// gateway on a node.
type GatewayConfig struct {
	// Mode is GatewayModeShared, GatewayModeLocal, or "" where the node has no
	// gateway.
	Mode string
	// Addresses are those of the gateway router on the external network.
	Addresses []netip.Prefix
	// Bridge is the kernel link that the gateway router leaves the node by.
	Bridge string
}

// ParseGatewayConfig parses l3-gateway-config.
func ParseGatewayConfig(value string) (GatewayConfig, error) {
	var out *GatewayConfig
	err := read(AnnotationGatewayConfig, value, func(s *scanner) error {
		err := s.object(func(network string) error {
			if network != model.DefaultNetwork {
				return s.skip()
			}
			if out != nil {
				return twice("network", network)
			}
			out = &GatewayConfig{}
			return s.gateway(out)
		})
		if err == nil && out == nil {
			err = errors.New(`the network "default" is not in it`)
		}
		return err
	})
	if err != nil {
		return GatewayConfig{}, err
	}
	return *out, nil
}

// gateway reads the gateway of one network. Older releases wrote one address
// as ip-address beside the list.
func (s *scanner) gateway(out *GatewayConfig) error {
	seen := map[string]bool{}
	var single []netip.Prefix
	err := s.object(func(key string) (err error) {
		if seen[key] {
			return twice("key", key)
		}
		seen[key] = true
		switch key {
		case "mode":
			out.Mode, err = s.gatewayMode()
		case "bridge-id":
			out.Bridge, err = s.text()
		case "ip-addresses":
			out.Addresses, err = s.prefixes()
		case "ip-address":
			single = make([]netip.Prefix, 1)
			single[0], err = s.prefix()
		default:
			return s.skip()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if out.Addresses == nil {
		out.Addresses = single
	}
	return err
}

func (s *scanner) gatewayMode() (string, error) {
	mode, err := s.text()
	if err != nil {
		return "", err
	}
	switch mode {
	case GatewayModeShared, GatewayModeLocal, "":
		return mode, nil
	default:
		return "", fmt.Errorf("%q is neither %q nor %q", mode, GatewayModeShared, GatewayModeLocal)
	}
}

// ParseChassisID parses node-chassis-id, which must not be blank.
func ParseChassisID(value string) (string, error) {
	if value == "" {
		return "", malformed(AnnotationChassisID, errors.New("it is empty"))
	}
	for _, c := range value {
		if c <= ' ' {
			return "", malformed(AnnotationChassisID, fmt.Errorf("%q has white space in it", value))
		}
	}
	return value, nil
}
