package apply

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// gracefulShutdown are the spellings of the community of RFC 8326. FRR writes its name,
// whichever it was given.
var gracefulShutdown = []string{"graceful-shutdown", "65535:0"}

// parseMarks collects, of route-maps that add the community to what a prefix-list permits,
// the prefixes of that list. frr-k8s makes such an entry for each community and family.
func parseMarks(config string) []uint64 {
	maps := markingMaps(config)
	if len(maps) == 0 {
		return nil
	}
	var out []uint64
	for line := range strings.Lines(config) {
		// ip prefix-list NAME seq 1 permit PREFIX
		words := strings.Fields(line)
		if len(words) != 7 || words[1] != "prefix-list" || words[5] != "permit" {
			continue
		}
		prefix, err := netip.ParsePrefix(words[6])
		if err != nil {
			continue
		}
		for _, name := range maps[words[2]] {
			out = append(out, markHash(name, prefix))
		}
	}
	return out
}

// markingMaps are the route-maps that add the community, by the prefix-list that they
// match.
func markingMaps(config string) map[string][]string {
	out := map[string][]string{}
	name, list, marks := "", "", false
	end := func() {
		if name != "" && list != "" && marks {
			out[list] = append(out[list], name)
		}
		name, list, marks = "", "", false
	}
	for line := range strings.Lines(config) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			end()
			if len(words) >= 3 && words[0] == "route-map" && words[2] == "permit" {
				name = words[1]
			}
			continue
		}
		switch {
		case len(words) == 5 && words[0] == "match" && words[2] == "address" && words[3] == "prefix-list":
			list = words[4]
		case len(words) >= 3 && words[0] == "set" && words[1] == "community":
			marks = slices.ContainsFunc(words[2:], func(w string) bool { return slices.Contains(gracefulShutdown, w) })
		}
	}
	end()
	return out
}

func markHash(routeMap string, prefix netip.Prefix) uint64 {
	return xxhash.Sum64(prefix.Masked().AppendTo([]byte(routeMap + "\x00marks ")))
}
