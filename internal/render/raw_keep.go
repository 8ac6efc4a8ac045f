package render

import (
	"slices"
	"strconv"
	"strings"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// KeepRaw gives the objects of a node that waits for its raw text the one that it has, by
// namespace. The objects were planned without raw text, so that all routes are typed. Of
// these, each neighbor gets by the kept text those for which it has an entry; they keep
// their attributes. Of the text, what is about a neighbor, a router or a prefix that is
// not planned any more is left out: FRR would refuse it, or announce what is withdrawn.
func KeepRaw(objects []*frrk8sv1beta1.FRRConfiguration, texts map[string]string) {
	for namespace, text := range texts {
		k := newKeeper(namespace, objects)
		if k.first == nil {
			continue
		}
		k.first.Spec.Raw.Config = marked(k.keep(rawBlocks(unmarked(text))))
	}
}

// keeper knows what is planned in a namespace.
type keeper struct {
	// first is the object with raw text, nil for none.
	first     *frrk8sv1beta1.FRRConfiguration
	routers   map[routerKey]bool
	neighbors map[string]*frrk8sv1beta1.Neighbor
	sessions  map[sessionKey]bool
}

type routerKey struct{ asn, vrf string }

type sessionKey struct {
	routerKey
	id string
}

func newKeeper(namespace string, objects []*frrk8sv1beta1.FRRConfiguration) *keeper {
	k := &keeper{routers: map[routerKey]bool{}, neighbors: map[string]*frrk8sv1beta1.Neighbor{}, sessions: map[sessionKey]bool{}}
	for _, o := range objects {
		if o.Namespace != namespace {
			continue
		}
		if k.first == nil {
			k.first = o
		}
		for i := range o.Spec.BGP.Routers {
			r := &o.Spec.BGP.Routers[i]
			router := routerKey{strconv.FormatUint(uint64(r.ASN), 10), r.VRF}
			k.routers[router] = true
			for j := range r.Neighbors {
				n := &r.Neighbors[j]
				id := n.Address + n.Interface
				k.sessions[sessionKey{router, rawID(&model.Session{Address: n.Address, Interface: n.Interface})}] = true
				// A part that repeats a neighbor for its VNIs advertises nothing to it.
				if name := model.OutboundMap(r.VRF, id); k.neighbors[name] == nil || len(n.ToAdvertise.Allowed.Prefixes) > 0 {
					k.neighbors[name] = n
				}
			}
		}
	}
	return k
}

// rawBlock is a line of raw text with the lines that belong to it.
type rawBlock struct {
	words []string
	lines []string
}

// rawBlocks parses what rawConfig writes.
func rawBlocks(text string) []rawBlock {
	var out []rawBlock
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case len(out) > 0 && (line[0] == ' ' || words[0] == "exit"):
			out[len(out)-1].lines = append(out[len(out)-1].lines, line)
		default:
			out = append(out, rawBlock{words: words, lines: []string{line}})
		}
	}
	return out
}

// matches is the prefix-list that a route-map's entry matches, "" for none.
func (b *rawBlock) matches() string {
	for _, line := range b.lines[1:] {
		if words := strings.Fields(line); len(words) == 5 && words[0] == "match" && words[3] == "prefix-list" {
			return words[4]
		}
	}
	return ""
}

// keep returns the text that is left of the blocks.
func (k *keeper) keep(blocks []rawBlock) string {
	lists := k.take(blocks)
	var out strings.Builder
	for i := range blocks {
		b := &blocks[i]
		switch b.words[0] {
		case "ip", "ipv6":
			if kept, ours := lists[b.words[2]]; ours && !kept[b.words[6]] {
				continue
			}
		case "route-map":
			if kept, ours := lists[b.matches()]; ours && len(kept) == 0 {
				continue
			}
		case "router":
			k.keepRouter(&out, b)
			continue
		}
		for _, line := range b.lines {
			out.WriteString(line)
		}
	}
	return out.String()
}

// take has the neighbors get by raw text what its lists permit and they are to get. It
// returns the prefixes that are kept of each list that an entry for neighbors matches.
func (k *keeper) take(blocks []rawBlock) map[string]map[string]bool {
	permits := map[string][]string{}
	for i := range blocks {
		if words := blocks[i].words; len(words) >= 7 && words[1] == "prefix-list" && words[5] == "permit" {
			permits[words[2]] = append(permits[words[2]], words[6])
		}
	}
	lists := map[string]map[string]bool{}
	for i := range blocks {
		b := &blocks[i]
		if b.words[0] != "route-map" || len(b.words) < 4 || strings.HasPrefix(b.words[1], RawPrefix) {
			continue
		}
		kept := map[string]bool{}
		if n := k.neighbors[b.words[1]]; n != nil {
			for _, prefix := range permits[b.matches()] {
				if withdrawTyped(&n.ToAdvertise, prefix) {
					kept[prefix] = true
				}
			}
		}
		lists[b.matches()] = kept
	}
	return lists
}

// withdrawTyped leaves a prefix out of what frr-k8s permits, and reports whether it was
// there.
func withdrawTyped(a *frrk8sv1beta1.Advertise, prefix string) bool {
	if !slices.Contains(a.Allowed.Prefixes, prefix) {
		return false
	}
	a.Allowed.Prefixes = without(a.Allowed.Prefixes, prefix)
	preferences := a.PrefixesWithLocalPref[:0:0]
	for _, p := range a.PrefixesWithLocalPref {
		if p.Prefixes = without(p.Prefixes, prefix); len(p.Prefixes) > 0 {
			preferences = append(preferences, p)
		}
	}
	communities := a.PrefixesWithCommunity[:0:0]
	for _, p := range a.PrefixesWithCommunity {
		if p.Prefixes = without(p.Prefixes, prefix); len(p.Prefixes) > 0 {
			communities = append(communities, p)
		}
	}
	a.PrefixesWithLocalPref, a.PrefixesWithCommunity = preferences, communities
	return true
}

// without returns a copy, because neighbors share their lists.
func without(prefixes []string, prefix string) []string {
	var out []string
	for _, p := range prefixes {
		if p != prefix {
			out = append(out, p)
		}
	}
	return out
}

// keepRouter writes a router's block, but for neighbors that are gone.
func (k *keeper) keepRouter(out *strings.Builder, b *rawBlock) {
	if len(b.words) < 3 {
		return
	}
	router := routerKey{asn: b.words[2]}
	if len(b.words) == 5 {
		router.vrf = b.words[4]
	}
	if !k.routers[router] {
		return
	}
	for _, line := range b.lines {
		if words := strings.Fields(line); words[0] == "neighbor" && !k.sessions[sessionKey{router, words[1]}] {
			continue
		}
		out.WriteString(line)
	}
}

// NoteRawRefused notes on the objects which raw text the node's FRR did not take.
func NoteRawRefused(objects []*frrk8sv1beta1.FRRConfiguration, note string) {
	for i, o := range objects {
		if i == 0 || objects[i-1].Namespace != o.Namespace {
			o.Annotations[AnnotationRawRefused] = note
		}
	}
}
