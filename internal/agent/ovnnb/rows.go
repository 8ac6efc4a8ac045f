package ovnnb

import (
	"encoding/hex"
	"maps"
	"net/netip"

	libmodel "github.com/ovn-kubernetes/libovsdb/model"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// The tables that are looked at.
const (
	tableRoute      = "Logical_Router_Static_Route"
	tableRouter     = "Logical_Router"
	tableGlobal     = "NB_Global"
	tableNAT        = "NAT"
	tableAddressSet = "Address_Set"
)

const (
	// nextHopDiscard is what OVN takes for a route that drops.
	nextHopDiscard = "discard"
	// optionDynamicRouting on a Logical_Router makes OVN itself exchange routes
	// with a kernel VRF (OVN 25.03 and later).
	optionDynamicRouting = "dynamic-routing"
)

// staticRoute is a row of ours. Its external_ids are not among the columns: the
// monitors' conditions look at them, and libovsdb takes longer to decode them
// than all the rest, and more memory.
type staticRoute struct {
	UUID       string            `ovsdb:"_uuid"`
	Prefix     string            `ovsdb:"ip_prefix"`
	NextHop    string            `ovsdb:"nexthop"`
	OutputPort *string           `ovsdb:"output_port"`
	RouteTable string            `ovsdb:"route_table"`
	Policy     *string           `ovsdb:"policy"`
	BFD        *string           `ovsdb:"bfd"`
	Options    map[string]string `ovsdb:"options"`
}

var routeColumns = []string{"ip_prefix", "nexthop", "output_port", "route_table", "policy", "bfd", "options"}

// CloneModel spares libovsdb the way through JSON, which is its own.
func (r *staticRoute) CloneModel() libmodel.Model {
	out := &staticRoute{}
	r.CloneModelInto(out)
	return out
}

// CloneModelInto copies what may be changed; what pointers point to is
// replaced, never changed.
func (r *staticRoute) CloneModelInto(into libmodel.Model) {
	out := into.(*staticRoute)
	*out = *r
	out.Options = maps.Clone(r.Options)
}

// plain reports whether the columns that we never write are empty.
func (r *staticRoute) plain() bool {
	return r.RouteTable == "" && r.Policy == nil && r.BFD == nil && len(r.Options) == 0
}

func (r *staticRoute) port() string { return valueOf(r.OutputPort) }

// parsePrefix reads ip_prefix as we write it; anything else is not ours and
// gives the zero Prefix, which no route has.
func (r *staticRoute) parsePrefix() netip.Prefix {
	prefix, err := netip.ParsePrefix(r.Prefix)
	var room [64]byte
	if err != nil || string(prefix.AppendTo(room[:0])) != r.Prefix || prefix.Masked() != prefix {
		return netip.Prefix{}
	}
	return prefix
}

// parseNextHop reads nexthop; ok is false where we would not have written it.
func (r *staticRoute) parseNextHop() (hop netip.Addr, ok bool) {
	if r.NextHop == nextHopDiscard {
		return netip.Addr{}, true
	}
	hop, err := netip.ParseAddr(r.NextHop)
	var room [64]byte
	if err != nil || string(hop.AppendTo(room[:0])) != r.NextHop {
		return netip.Addr{}, false
	}
	return hop, true
}

func formatNextHop(hop netip.Addr) string {
	if !hop.IsValid() {
		return nextHopDiscard
	}
	return hop.String()
}

// othersRoute is a row that is not ours and decides about ours.
type othersRoute struct {
	UUID       string  `ovsdb:"_uuid"`
	Prefix     string  `ovsdb:"ip_prefix"`
	OutputPort *string `ovsdb:"output_port"`
	Policy     *string `ovsdb:"policy"`
}

// policySource is a route's policy to go by the packet's source.
const policySource = "src-ip"

// kind is what the row is for, "" if it doesn't matter to us.
func (r *othersRoute) kind() routeKind {
	if valueOf(r.Policy) != policySource {
		return ofRouteImport
	}
	switch prefix := r.parsePrefix(); {
	case !prefix.IsValid() || !prefix.IsSingleIP():
		return ""
	case prefix.Addr().Is4():
		return ofIPv4Host
	default:
		return ofIPv6Host
	}
}

// parsePrefix reads ip_prefix as others write it, who may leave out the length of a
// single host; anything else is the zero Prefix.
func (r *othersRoute) parsePrefix() netip.Prefix {
	if host, err := netip.ParseAddr(r.Prefix); err == nil {
		return netip.PrefixFrom(host, host.BitLen())
	}
	prefix, _ := netip.ParsePrefix(r.Prefix)
	return prefix.Masked()
}

// logicalRouter is a gateway router. Its static_routes are not among the
// columns: to apply one change to a set costs as much as the set is large.
type logicalRouter struct {
	UUID    string            `ovsdb:"_uuid"`
	Name    string            `ovsdb:"name"`
	Options map[string]string `ovsdb:"options"`
	NAT     []string          `ovsdb:"nat"`
}

type global struct {
	UUID    string            `ovsdb:"_uuid"`
	Options map[string]string `ovsdb:"options"`
}

// addressSet is a set with addresses of nodes.
type addressSet struct {
	UUID        string            `ovsdb:"_uuid"`
	Name        string            `ovsdb:"name"`
	Addresses   []string          `ovsdb:"addresses"`
	ExternalIDs map[string]string `ovsdb:"external_ids"`
}

// natRow has the columns that every supported schema has.
type natRow struct {
	UUID        string            `ovsdb:"_uuid"`
	Type        string            `ovsdb:"type"`
	LogicalIP   string            `ovsdb:"logical_ip"`
	LogicalPort *string           `ovsdb:"logical_port"`
	Allowed     *string           `ovsdb:"allowed_ext_ips"`
	Exempted    *string           `ovsdb:"exempted_ext_ips"`
	ExternalIDs map[string]string `ovsdb:"external_ids"`
}

// natMatchRow is natRow in newer schemas.
type natMatchRow struct {
	UUID        string            `ovsdb:"_uuid"`
	Type        string            `ovsdb:"type"`
	LogicalIP   string            `ovsdb:"logical_ip"`
	LogicalPort *string           `ovsdb:"logical_port"`
	Allowed     *string           `ovsdb:"allowed_ext_ips"`
	Exempted    *string           `ovsdb:"exempted_ext_ips"`
	ExternalIDs map[string]string `ovsdb:"external_ids"`
	Match       string            `ovsdb:"match"`
}

func valueOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// parseRowID reads a UUID in its usual form.
func parseRowID(text string) (id model.RowID, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return id, false
	}
	var digits [32]byte
	n := copy(digits[:], text[:8])
	n += copy(digits[n:], text[9:13])
	n += copy(digits[n:], text[14:18])
	n += copy(digits[n:], text[19:23])
	copy(digits[n:], text[24:])
	_, err := hex.Decode(id[:], digits[:])
	return id, err == nil
}

func formatRowID(id model.RowID) string {
	out := make([]byte, 0, 36)
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, part)
	}
	return string(out)
}
