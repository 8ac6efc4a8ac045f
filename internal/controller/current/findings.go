package current

import (
	"slices"
	"strings"
	"sync"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// ControllerFindings are findings of the controllers themselves, such as writes that
// failed, which concern whole RouteAdvertisements objects. Those of nodes are
// in the tallies.
type ControllerFindings struct {
	// OnChange is called, without locks, with the objects whose findings changed.
	OnChange func(ras ...string)

	mu       sync.Mutex
	bySource map[string]reported
}

type reported struct {
	ras     []string
	finding model.Finding
}

// Set replaces what a source has to tell.
func (t *ControllerFindings) Set(source string, ras []string, finding model.Finding) {
	t.replace(source, &reported{ras: ras, finding: finding})
}

// Clear says that all is well with a source.
func (t *ControllerFindings) Clear(source string) { t.replace(source, nil) }

func (t *ControllerFindings) replace(source string, next *reported) {
	t.mu.Lock()
	before, known := t.bySource[source]
	unchanged := next == nil && !known ||
		next != nil && known && next.finding == before.finding && slices.Equal(next.ras, before.ras)
	if unchanged {
		t.mu.Unlock()
		return
	}
	concerned := slices.Clone(before.ras)
	if next == nil {
		delete(t.bySource, source)
	} else {
		if t.bySource == nil {
			t.bySource = map[string]reported{}
		}
		t.bySource[source] = *next
		concerned = append(concerned, next.ras...)
	}
	t.mu.Unlock()
	if t.OnChange != nil {
		slices.Sort(concerned)
		t.OnChange(slices.Compact(concerned)...)
	}
}

// Of returns the findings that concern an object, in a fixed order.
func (t *ControllerFindings) Of(ra string) []model.Finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	var findings []model.Finding
	for _, r := range t.bySource {
		if slices.Contains(r.ras, ra) {
			findings = append(findings, r.finding)
		}
	}
	slices.SortFunc(findings, func(a, b model.Finding) int { return strings.Compare(a.Message, b.Message) })
	return findings
}
