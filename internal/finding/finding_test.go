package finding_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

var mustPrefix = netip.MustParsePrefix

// The goldens and the tests of the rooms that find something hold the other texts.
func TestTextsCountBeyondTheirLength(t *testing.T) {
	for _, c := range []struct {
		got  model.Finding
		want string
	}{
		{finding.NetworkOnNoNode("ra", []string{"a", "b", "c", "d"}, 1200), `network "a", "b", "c" and 1 more on any of its 1,200 nodes`},
		{finding.RouterIDShared("", "192.0.2.1", []string{"n1", "n2", "n3", "n4"}, []string{"frr/a"}), `on several nodes (n1, n2, n3 and 1 more), from FRRConfiguration frr/a:`},
		{finding.HostSubnetOutside("blue", mustPrefix("10.9.0.0/24"), []model.NetworkSubnet{
			{Prefix: mustPrefix("10.0.0.0/16"), HostLength: 24}, {Prefix: mustPrefix("10.1.0.0/16"), HostLength: 24}, {Prefix: mustPrefix("10.2.0.0/16"), HostLength: 24},
		}), `no node's part of the network's 10.0.0.0/16 (as /24), 10.1.0.0/16 (as /24) and 1 more:`},
	} {
		if !strings.Contains(c.got.Message, c.want) {
			t.Errorf("%s\ndoes not say: %s", c.got.Message, c.want)
		}
	}
}

// What stands beside others keeps nothing from being advertised, unless it was meant to.
func TestWhatStandsApartIsANoticeBesideOthers(t *testing.T) {
	for _, c := range []struct {
		name, hint string
		apart      finding.Apart
		outcome    model.Outcome
		end        string
	}{
		{"alone", "", finding.Alone, model.Invalid, "add one, or change spec.targetVRF or frrConfigurationSelector"},
		{"beside others", "", finding.BesideOthers, model.Notice, "nothing is advertised by it"},
		{"a typo", finding.MeantVRF("blue"), finding.BesideOthers, model.Invalid, `did you mean targetVRF "blue"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := finding.NoMatchingVRF("frr/a", "bleu", []string{"blue"}, c.hint, c.apart)
			if f.Outcome != c.outcome || !strings.HasSuffix(f.Message, c.end) {
				t.Errorf("%s: %s", f.Outcome, f.Message)
			}
		})
	}
}

func TestAnotherControllerIsToldWithWhatComesNext(t *testing.T) {
	if got := finding.AsideText("it wrote Accepted", ""); got != "nothing is rendered, because another controller works on this object: it wrote Accepted. "+
		"To hand the object over, stop that controller, or start this one with --take-over" {
		t.Error(got)
	}
	if got := finding.StandingAside("ra", "it wrote Accepted", "it selects a network").Message; !strings.HasSuffix(got, "; it is not taken over, because it selects a network: leave that controller on") {
		t.Error(got)
	}
}
