package webhook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
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
func texts(troubles []trouble, own func(*trouble) bool) []string {
	slices.SortFunc(troubles, func(a, b trouble) int {
		return cmp.Or(
			-compareBool(own(&a), own(&b)), -compareBool(a.Blocks(), b.Blocks()), -cmp.Compare(a.Outcome, b.Outcome),
			cmp.Compare(a.Scope.Kind, b.Scope.Kind), cmp.Compare(a.Message, b.Message), cmp.Compare(a.policy, b.policy), cmp.Compare(a.ra, b.ra), cmp.Compare(a.Scope.Name, b.Scope.Name), cmp.Compare(a.Reason, b.Reason))
	})
	var out []string
	for len(troubles) > 0 {
		same := 1
		for same < len(troubles) && troubles[same].Message == troubles[0].Message && troubles[same].policy == troubles[0].policy && troubles[same].drainPolicy() == troubles[0].drainPolicy() && slices.Equal(troubles[same].nodes, troubles[0].nodes) {
			same++
		}
		if len(out) == maxWarnings {
			return append(out, fmt.Sprintf("and %s more: kubectl-ra plan shows all of them, and so does the status of the RouteAdvertisements", phrase.Number(len(troubles))))
		}
		out = append(out, warning(text(troubles[:same])))
		troubles = troubles[same:]
	}
	return out
}

// warning is a text as a header carries it: one line, and not too long.
func warning(text string) string { return phrase.Cut(phrase.Line(text), maxWarning) }

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
	what := "RouteAdvertisements " + phrase.List(slices.Compact(ras), maxRAs)
	switch first := &same[0]; {
	case first.drainPolicy() != "":
		what = "DrainPolicy " + first.drainPolicy()
	case first.policy != "":
		what = fmt.Sprintf("RoutePolicy %s (%s)", first.policy, what)
	}
	return fmt.Sprintf("%s%s: %s", what, where, same[0].Message)
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
