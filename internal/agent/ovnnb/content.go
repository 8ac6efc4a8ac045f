package ovnnb

import (
	"encoding/hex"
	"maps"
	"net/netip"
	"slices"

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
			c.nextHop = in.word()
		case "output_port":
			c.outputPort = in.optionalText()
		case "route_table":
			c.routeTable = in.word()
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
	var room [64]byte
	if err != nil || string(prefix.AppendTo(room[:0])) != c.prefix || prefix.Masked() != prefix {
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
	var room [64]byte
	if err != nil || string(hop.AppendTo(room[:0])) != c.nextHop {
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
		return r.word()
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

// textMap reads a map of strings, or applies the difference that it is. Nobody
// may change the map: it may be that of the row before, because nearly all rows
// have the same marks.
func (r *jsonReader) textMap(current map[string]string, difference bool) map[string]string {
	r.textPairs()
	switch {
	case r.err != nil:
		return current
	case !difference && len(r.pairs) == 0:
		return nil
	case !difference && slices.Equal(r.pairs, r.lastPairs):
		return r.last
	}
	out := map[string]string{}
	if difference {
		maps.Copy(out, current)
	}
	for _, pair := range r.pairs {
		if old, found := out[pair[0]]; found && old == pair[1] {
			delete(out, pair[0])
			continue
		}
		out[pair[0]] = pair[1]
	}
	if !difference {
		r.pairs, r.lastPairs, r.last = r.lastPairs, r.pairs, out
	}
	return out
}

// textPairs reads a map's pairs.
func (r *jsonReader) textPairs() {
	r.pairs = r.pairs[:0]
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
				if n < 2 {
					pair[n] = r.word()
				} else {
					r.skip()
				}
				n++
			})
			if n != 2 {
				r.fail("a pair of %d", n)
			}
			r.pairs = append(r.pairs, pair)
		})
	})
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
