package vteps_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vteps"
)

func on(device int32, prefixes ...string) []vteps.Address {
	var out []vteps.Address
	for _, p := range prefixes {
		out = append(out, vteps.Address{Device: device, Prefix: netip.MustParsePrefix(p)})
	}
	return out
}

func TestPlan(t *testing.T) {
	made := vteps.Device{Index: 7, Name: "vtep-a", Kind: "dummy", Group: vteps.Group, Alias: "ovnbgp.io/vtep a", Up: true}
	down, unnamed, foreign, renamed := made, made, made, made
	down.Up, unnamed.Alias, foreign.Group, renamed.Name = false, "", 0, "vtep-old"
	uplink := vteps.Device{Index: 2, Name: "eth0", Up: true}
	for _, test := range []struct {
		name     string
		devices  []vteps.Device
		has      []vteps.Address
		wanted   []vteps.VTEP
		changes  string
		reason   vteps.Reason
		problems string
	}{
		{name: "nothing", changes: ""},
		{name: "new", wanted: []vteps.VTEP{vtep("a", "fd00::1", "100.64.0.1")},
			changes: `create dummy device vtep-a, give dummy device vtep-a the alias "ovnbgp.io/vtep a", set dummy device vtep-a up, add address 100.64.0.1/32 to vtep-a, add address fd00::1/128 to vtep-a`},
		{name: "as it should be", devices: []vteps.Device{made}, has: on(7, "100.64.0.1/32"), wanted: []vteps.VTEP{vtep("a", "100.64.0.1")}},
		{name: "down", devices: []vteps.Device{down}, has: on(7, "100.64.0.1/32"), wanted: []vteps.VTEP{vtep("a", "100.64.0.1")}, changes: "set dummy device vtep-a up"},
		{name: "killed before the alias", devices: []vteps.Device{unnamed}, has: on(7, "100.64.0.1/32"), wanted: []vteps.VTEP{vtep("a", "100.64.0.1")},
			changes: `give dummy device vtep-a the alias "ovnbgp.io/vtep a"`},
		{name: "another address, and one with another length", devices: []vteps.Device{made}, has: on(7, "100.64.0.1/24", "100.64.0.2/32"), wanted: []vteps.VTEP{vtep("a", "100.64.0.1")},
			changes: "add address 100.64.0.1/32 to vtep-a, delete address 100.64.0.1/24 from vtep-a, delete address 100.64.0.2/32 from vtep-a"},
		{name: "gone", devices: []vteps.Device{made, uplink}, has: on(7, "100.64.0.1/32"), changes: "delete dummy device vtep-a"},
		{name: "foreign, and not wanted", devices: []vteps.Device{foreign}, has: on(7, "100.64.0.1/32")},
		{name: "foreign", devices: []vteps.Device{foreign}, wanted: []vteps.VTEP{vtep("a", "100.64.0.1")}, reason: vteps.ReasonNameTaken, problems: "rename or delete it"},
		{name: "on another link", devices: []vteps.Device{made, uplink}, has: on(2, "100.64.0.1/24"), wanted: []vteps.VTEP{vtep("a", "100.64.0.1")},
			reason: vteps.ReasonAddressTaken, problems: "is on eth0, and stops with it"},
		{name: "moves from a device of ours", devices: []vteps.Device{renamed}, has: on(7, "100.64.0.1/32"), wanted: []vteps.VTEP{vtep("a", "100.64.0.1")},
			changes: `create dummy device vtep-a, give dummy device vtep-a the alias "ovnbgp.io/vtep a", set dummy device vtep-a up, add address 100.64.0.1/32 to vtep-a, delete dummy device vtep-old`},
	} {
		t.Run(test.name, func(t *testing.T) {
			changes, states := vteps.Plan(test.wanted, &vteps.Observed{Devices: test.devices, Addresses: test.has})
			var texts []string
			for _, c := range changes {
				texts = append(texts, fmt.Sprint(c))
			}
			if got := strings.Join(texts, ", "); got != test.changes {
				t.Errorf("it changes\n%s, not\n%s", got, test.changes)
			}
			for _, s := range states {
				if s.Reason != test.reason || !strings.Contains(s.Problem, test.problems) || (s.Problem == "") != (test.problems == "") {
					t.Errorf("%s: %s", s.Reason, s.Problem)
				}
			}
			if len(states) != len(test.wanted) || slices.ContainsFunc(changes, func(c vteps.Change) bool { return c.Device.Name == "eth0" }) {
				t.Errorf("%d states", len(states))
			}
		})
	}
}
