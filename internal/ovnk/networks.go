package ovnk

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ParseNetworkIDs parses network-ids: the networks' IDs by network name.
func ParseNetworkIDs(value string) (map[string]int, error) {
	out := make(map[string]int, estimateMembers(value))
	err := read(AnnotationNetworkIDs, value, func(s *scanner) error {
		return s.object(func(network string) error {
			id, err := s.id()
			if err != nil {
				return fmt.Errorf("network %q: %w", network, err)
			}
			return insert(out, network, id, nil)
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ParseLayer2Networks parses udn-layer2-node-gateway-router-lrp-tunnel-ids:
// the Layer2 networks that are set up on the node. intern is as in
// ParseNodeSubnets.
func ParseLayer2Networks(value string, intern func(network string) string) (map[string]bool, error) {
	out := make(map[string]bool, estimateMembers(value))
	err := read(AnnotationLayer2TunnelIDs, value, func(s *scanner) error {
		return s.object(func(network string) error {
			if _, err := s.id(); err != nil {
				return fmt.Errorf("network %q: %w", network, err)
			}
			return insert(out, network, true, intern)
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// TellsLayer2Networks reports whether a node with this layer2-topology-version,
// "" where it has none, keeps udn-layer2-node-gateway-router-lrp-tunnel-ids
// current: only before 2.0, which brought the transit router.
func TellsLayer2Networks(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return version == "" || err == nil && n < 2
}

// ParseNetworkID parses the annotation network-id of a
// NetworkAttachmentDefinition.
func ParseNetworkID(value string) (int, error) {
	n, err := id(value)
	return n, malformed(AnnotationNetworkID, err)
}

// ParseRouteAdvertisements parses the annotation route-advertisements of a
// NetworkAttachmentDefinition: names, sorted, each once.
func ParseRouteAdvertisements(value string) ([]string, error) {
	var out []string
	err := read(AnnotationRouteAdvertisements, value, func(s *scanner) error {
		return s.list(func() error {
			name, err := s.text()
			out = append(out, name)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return sortedNames(out), nil
}

// MergeRouteAdvertisements returns what the annotation should list: ours, and
// of the current names those that are not for us to decide.
func MergeRouteAdvertisements(current, ours []string, decides func(name string) bool) []string {
	kept := slices.DeleteFunc(slices.Clone(current), decides)
	return sortedNames(append(kept, ours...))
}

// FormatRouteAdvertisements is the reverse of ParseRouteAdvertisements.
func FormatRouteAdvertisements(names []string) string {
	sorted := sortedNames(slices.Clone(names))
	if len(sorted) == 0 {
		return "[]"
	}
	// Strings always marshal.
	out, _ := json.Marshal(sorted)
	return string(out)
}

func sortedNames(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// id reads a network's number, which OVN-Kubernetes writes as a string.
func (s *scanner) id() (int, error) {
	text, err := s.text()
	if err != nil {
		return 0, err
	}
	return id(text)
}

func id(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is not an ID, which is a number such as 5", text)
	}
	return int(n), nil
}

// estimateMembers estimates how many members an object has, for sizing.
func estimateMembers(object string) int { return strings.Count(object, `":`) }

// insert adds a network that must not be there yet.
func insert[V any](networks map[string]V, network string, value V, intern func(string) string) error {
	if intern != nil {
		network = intern(network)
	}
	before := len(networks)
	networks[network] = value
	if len(networks) == before {
		return twice("network", network)
	}
	return nil
}
