package agent

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// playedRouters are those in the database; one that is not told is not known.
type playedRouters struct {
	there  string
	looked []string
	off    bool
}

func (p *playedRouters) Look(routers []string) { p.looked = slices.Sorted(slices.Values(routers)) }

func (p *playedRouters) HasRouter(name string) (present, known bool) {
	known = !p.off && slices.Contains(p.looked, name)
	return known && slices.Contains(strings.Fields(p.there), name), known
}

// TestLayer2 follows a node on which Layer2 networks come and go.
func TestLayer2(t *testing.T) {
	const standard, blue = "GR_n", "GR_cluster_udn_blue_n"
	networks := func(text string) map[string]Network {
		out := map[string]Network{"default": {Name: "default"}, "cluster_udn_routed": {Name: "cluster_udn_routed"}}
		for _, name := range strings.Fields(text) {
			out["cluster_udn_"+name] = Network{Name: "cluster_udn_" + name, Layer2: true}
		}
		return out
	}
	ovn, found := &playedRouters{}, layer2{}
	began := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		second   int
		networks string
		there    string
		off      bool
		partial  bool
		want     string
		again    time.Duration
	}{
		{second: 0, networks: "", there: standard, want: "true 0 absent[] undecided[]"},
		{second: 1, networks: "blue", off: true, want: "false 1 absent[] undecided[]"},
		{second: 2, networks: "blue", there: "", want: "false 1 absent[] undecided[]"},
		{second: 3, networks: "blue", there: standard, want: "true 1 absent[] undecided[blue]", again: 10 * time.Second},
		{second: 9, networks: "blue", there: standard, want: "true 1 absent[] undecided[blue]", again: 4 * time.Second},
		{second: 13, networks: "blue", there: standard, want: "true 1 absent[blue] undecided[]"},
		// Another one is new.
		{second: 20, networks: "blue red", there: standard, want: "true 2 absent[blue] undecided[red]", again: 10 * time.Second},
		{second: 30, networks: "blue red", there: standard, want: "true 2 absent[blue red] undecided[]"},
		// A first pod.
		{second: 31, networks: "blue red", there: standard + " " + blue, want: "true 2 absent[red] undecided[]"},
		// The router is made anew.
		{second: 32, networks: "blue red", there: standard, want: "true 2 absent[red] undecided[blue]", again: 10 * time.Second},
		{second: 33, networks: "blue red", there: standard + " " + blue, want: "true 2 absent[red] undecided[]"},
		// The connection is lost, and red may have been there meanwhile.
		{second: 40, networks: "blue red", off: true, want: "false 2 absent[] undecided[]"},
		{second: 41, networks: "blue red", there: standard + " " + blue, want: "true 2 absent[] undecided[red]", again: 10 * time.Second},
		{second: 51, networks: "blue red", there: standard + " " + blue, want: "true 2 absent[red] undecided[]"},
		// The API server does not serve the networks for a while.
		{second: 60, networks: "", there: standard, partial: true, want: "false 0 absent[] undecided[]"},
	} {
		ovn.there, ovn.off = step.there, step.off
		_, again := found.look("n", networks(step.networks), !step.partial, ovn, absentAfter, began.Add(time.Duration(step.second)*time.Second))
		f := found.found
		got := strings.ReplaceAll(fmt.Sprintf("%t %d absent%v undecided%v", f.Known, f.Networks, f.Absent, f.Undecided), "cluster_udn_", "")
		if got != step.want || again != step.again {
			t.Errorf("step %d: %s, again in %s; want %s, again in %s", i, got, again, step.want, step.again)
		}
	}
}
