package ovnnb

import (
	"encoding/hex"
	"maps"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// The marks of our rows, in external_ids. The node is part of them because in
// one Northbound database for all nodes there are many agents.
const (
	markOwner   = "ovnbgp.io/owner"
	markNode    = "ovnbgp.io/node"
	markNetwork = "ovnbgp.io/network"
	ownerAgent  = "agent"

	// nextHopDiscard is what OVN takes for a route that drops.
	nextHopDiscard = "discard"
)

// content is what a row of Logical_Router_Static_Route says.
type content struct {
	prefix, nextHop string
	outputPort      string
	// strange is set where a column that we never write has a value.
	routeTable, policy, bfd string
	options, externalIDs    map[string]string
}

// columns are those of content, as they are monitored.
var routeColumns = []string{"ip_prefix", "nexthop", "output_port", "route_table", "policy", "bfd", "options", "external_ids"}

// read reads a row. Where it is a difference, maps hold what changed: a key
// with the value that it has is removed, any other is set (ovsdb-server(7),
// update2). Columns of at most one value come whole.
func (c *content) read(in *jsonReader, difference bool) {
	in.object(func(column []byte) {
		switch string(column) {
		case "ip_prefix":
			c.prefix = string(in.string())
		case "nexthop":
			c.nextHop = string(in.string())
		case "output_port":
			c.outputPort = in.optionalText()
		case "route_table":
			c.routeTable = string(in.string())
		case "policy":
			c.policy = in.optionalText()
		case "bfd":
			c.bfd = in.optionalText()
		case "options":
			c.options = in.textMap(c.options, difference)
		case "external_ids":
			c.externalIDs = in.textMap(c.externalIDs, difference)
		default:
			in.skip()
		}
	})
}

// plain reports whether the columns that we never write are empty.
func (c *content) plain() bool {
	return c.routeTable == "" && c.policy == "" && c.bfd == "" && len(c.options) == 0
}

// parsePrefix reads ip_prefix as we write it; anything else is not ours and
// gives the zero Prefix, which no route has.
func (c *content) parsePrefix() netip.Prefix {
	prefix, err := netip.ParsePrefix(c.prefix)
	if err != nil || prefix.String() != c.prefix || prefix.Masked() != prefix {
		return netip.Prefix{}
	}
	return prefix
}

// parseNextHop reads nexthop; ok is false where we would not have written it.
func (c *content) parseNextHop() (hop netip.Addr, ok bool) {
	if c.nextHop == nextHopDiscard {
		return netip.Addr{}, true
	}
	hop, err := netip.ParseAddr(c.nextHop)
	if err != nil || hop.String() != c.nextHop {
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

// optionalText reads a column of at most one string or UUID.
func (r *jsonReader) optionalText() string {
	if r.next() == '"' {
		return string(r.string())
	}
	var out string
	r.setOfText(func(text string) { out = text })
	return out
}

// setOfText reads a set, in either of its two forms: one element alone, or
// ["set", [elements]]. A UUID is given as its text.
func (r *jsonReader) setOfText(element func(text string)) {
	if r.next() == '"' {
		element(string(r.string()))
		return
	}
	kind := ""
	r.list(func() {
		switch {
		case kind == "":
			kind = string(r.string())
		case kind == "uuid" || kind == "named-uuid":
			element(string(r.string()))
		case kind == "set":
			r.list(func() { r.setOfText(element) })
		default:
			r.skip()
		}
	})
}

// textMap reads a map of strings, or applies the difference that it is.
func (r *jsonReader) textMap(current map[string]string, difference bool) map[string]string {
	var out map[string]string
	if difference {
		out = maps.Clone(current)
	}
	put := func(key, value string) {
		if old, found := out[key]; found && old == value {
			delete(out, key)
			return
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	part := 0
	r.list(func() {
		if part++; part != 2 {
			r.skip()
			return
		}
		r.list(func() {
			var pair [2]string
			n := 0
			r.list(func() {
				text := string(r.string())
				if n < 2 {
					pair[n] = text
				}
				n++
			})
			if n != 2 {
				r.fail("a pair of %d", n)
			}
			if r.err == nil {
				put(pair[0], pair[1])
			}
		})
	})
	return out
}

// parseRowID reads a UUID in its usual form.
func parseRowID(text []byte) (id model.RowID, ok bool) {
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

func appendRowID(out []byte, id model.RowID) []byte {
	for i, part := range [][]byte{id[:4], id[4:6], id[6:8], id[8:10], id[10:]} {
		if i > 0 {
			out = append(out, '-')
		}
		out = hex.AppendEncode(out, part)
	}
	return out
}
