package webhook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	// The API server passes on 4096 characters of warnings in all, and cuts each
	// to 256 where there are more.
	maxWarnings = 6
	maxWarning  = 600
	// maxRAs is how many RouteAdvertisements a warning names.
	maxRAs = 3
)

// texts says it to people: first what concerns the object itself, then what
// keeps something from being advertised.
func texts(troubles []trouble, name string) []string {
	slices.SortFunc(troubles, func(a, b trouble) int {
		return cmp.Or(
			-compareBool(a.ra == name, b.ra == name), -compareBool(a.Blocks(), b.Blocks()), -cmp.Compare(a.Outcome, b.Outcome),
			cmp.Compare(a.Scope.Kind, b.Scope.Kind), cmp.Compare(a.Message, b.Message), cmp.Compare(a.ra, b.ra), cmp.Compare(a.Reason, b.Reason))
	})
	var out []string
	for len(troubles) > 0 {
		same := 1
		for same < len(troubles) && troubles[same].Message == troubles[0].Message && slices.Equal(troubles[same].nodes, troubles[0].nodes) {
			same++
		}
		if len(out) == maxWarnings {
			return append(out, fmt.Sprintf("and %d more: kubectl-ra plan shows all of them, and so does the status of the RouteAdvertisements", len(troubles)))
		}
		out = append(out, cut(text(troubles[:same]), maxWarning))
		troubles = troubles[same:]
	}
	return out
}

// text is that of troubles with one message.
func text(same []trouble) string {
	var ras []string
	for i := range same {
		ras = append(ras, same[i].ra)
	}
	where := ""
	if nodes := same[0].nodes; len(nodes) > 0 {
		where = ", on nodes such as " + strings.Join(nodes, ", ")
	}
	return fmt.Sprintf("RouteAdvertisements %s%s: %s", listed(slices.Compact(ras), maxRAs), where, same[0].Message)
}

func listed(names []string, most int) string {
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// cut shortens text to a number of bytes, between two characters. Headers,
// which carry warnings, have one line.
func cut(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("…")], "") + "…"
}
