package apply

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// Raw reports whether the neighbor's outbound route-map has an entry of raw text for the
// route, with its attributes; asn is the AS number that the neighbor knows the router by.
func (o OriginatedPrefixes) Raw(vrf, neighbor string, r model.Route, asn uint32) bool {
	_, found := slices.BinarySearch(o, rawHash(model.OutboundMap(vrf, neighbor), r.Prefix, render.SetLines(r.Attributes, asn)))
	return found
}

// FilteredOtherwise reports whether FRR has the neighbor, and filters what it gets by another
// route-map than that which raw text adds entries to, or by none. It is known only of an
// FRR with raw text.
func (o OriginatedPrefixes) FilteredOtherwise(vrf, neighbor string) bool {
	_, found := slices.BinarySearch(o, filterHash(vrf, neighbor, anyFilter))
	_, expected := slices.BinarySearch(o, filterHash(vrf, neighbor, model.OutboundMap(vrf, neighbor)))
	return found && !expected
}

// parseRaw collects what raw text adds to route-maps, and by which route-maps neighbors'
// routes are filtered.
func parseRaw(config string) []uint64 {
	if !strings.Contains(config, " prefix-list "+render.RawPrefix) {
		return nil
	}
	out := parseFilters(config)
	entries := rawEntries(config)
	for line := range strings.Lines(config) {
		words := strings.Fields(line)
		if len(words) != 7 || words[1] != "prefix-list" || words[5] != "permit" || entries[words[2]].routeMap == "" {
			continue
		}
		if prefix, err := netip.ParsePrefix(words[6]); err == nil {
			out = append(out, rawHash(entries[words[2]].routeMap, prefix, entries[words[2]].sets))
		}
	}
	return out
}

// rawEntry is an entry of a route-map.
type rawEntry struct {
	routeMap string
	sets     []string
}

// rawEntries are those with our prefix-lists, by list.
func rawEntries(config string) map[string]rawEntry {
	out := map[string]rawEntry{}
	entry, list := rawEntry{}, ""
	end := func() {
		if entry.routeMap != "" && strings.HasPrefix(list, render.RawPrefix) {
			out[list] = entry
		}
		entry, list = rawEntry{}, ""
	}
	for line := range strings.Lines(config) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			end()
			if len(words) == 4 && words[0] == "route-map" && words[2] == "permit" {
				entry.routeMap = words[1]
			}
			continue
		}
		switch {
		case len(words) == 5 && words[0] == "match" && words[3] == "prefix-list":
			list = words[4]
		case len(words) >= 3 && words[0] == "set" && !(words[1] == "ip" || words[1] == "ipv6"):
			entry.sets = append(entry.sets, strings.Join(words[1:], " "))
		}
	}
	end()
	return out
}

// parseFilters collects the outbound route-maps of neighbors.
func parseFilters(config string) []uint64 {
	var out []uint64
	vrf, inRouter := "", false
	for line := range strings.Lines(config) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			vrf, inRouter = routerBlock(words)
			continue
		}
		if !inRouter || len(words) < 3 || words[0] != "neighbor" {
			continue
		}
		// frr-k8s filters every neighbor that it activates.
		if words[2] == "activate" {
			out = append(out, filterHash(vrf, words[1], anyFilter))
		}
		if len(words) == 5 && words[2] == "route-map" && words[4] == "out" {
			out = append(out, filterHash(vrf, words[1], words[3]))
		}
	}
	return out
}

// anyFilter stands for whichever route-map a neighbor has.
const anyFilter = ""

// filterHash takes a neighbor's address in any spelling: FRR writes its own.
func filterHash(vrf, neighbor, routeMap string) uint64 {
	if address, err := netip.ParseAddr(neighbor); err == nil {
		neighbor = address.String()
	}
	return xxhash.Sum64String(vrf + "\x00filters " + neighbor + " by " + routeMap)
}

func rawHash(routeMap string, prefix netip.Prefix, sets []string) uint64 {
	text := prefix.Masked().AppendTo([]byte(routeMap + "\x00raw "))
	for _, line := range slices.Sorted(slices.Values(sets)) {
		text = append(append(text, 0), line...)
	}
	return xxhash.Sum64(text)
}
