package ovnk

import (
	"fmt"
	"net/netip"
)

// ParseNodeSubnets parses node-subnets: the node's subnets by network name. A
// network's value is a list or a single string; host bits are cleared.
//
// A node with hundreds of networks has an annotation of ten kilobytes, and a
// start parses thousands of them, so all subnets share one array, and the keys
// are parts of value unless intern, which may be nil, returns others.
func ParseNodeSubnets(value string, intern func(network string) string) (map[string][]netip.Prefix, error) {
	networks := estimateMembers(value)
	out := make(map[string][]netip.Prefix, networks)
	// Room for dual stack; what was handed out stays valid if it must grow.
	shared := make([]netip.Prefix, 0, 2*networks)
	err := read(AnnotationNodeSubnets, value, func(s *scanner) error {
		add := func() error {
			subnet, err := s.prefix()
			shared = append(shared, subnet.Masked())
			return err
		}
		return s.object(func(network string) error {
			start := len(shared)
			var err error
			if s.peek() == '"' {
				err = add()
			} else {
				err = s.list(add)
			}
			if err != nil {
				return fmt.Errorf("network %q: %w", network, err)
			}
			return insert(out, network, shared[start:len(shared):len(shared)], intern)
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
