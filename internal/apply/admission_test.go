package apply_test

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// withProfiles is an object in which each contributor is a BFD profile of its
// name, which shows who is in it.
func withProfiles(namespace string, contributors ...string) []*frrk8sv1beta1.FRRConfiguration {
	if len(contributors) == 0 {
		return nil
	}
	config := model.NodeConfig{Namespace: namespace, Contributors: contributors, Routers: []model.Router{
		{ASN: 64512, Routes: []model.Route{{Prefix: netip.MustParsePrefix("10.244.1.0/24")}}},
	}}
	for _, name := range contributors {
		config.BFDProfiles = append(config.BFDProfiles, model.BFDProfile{Name: name})
	}
	return render.Node(&model.NodePlan{Node: "worker-1", Hostname: "worker-1", Configs: []model.NodeConfig{config}})
}

func rendererOf(namespace string, contributors ...string) func(map[string]bool) []*frrk8sv1beta1.FRRConfiguration {
	return func(without map[string]bool) []*frrk8sv1beta1.FRRConfiguration {
		return withProfiles(namespace, slices.DeleteFunc(slices.Clone(contributors), func(name string) bool { return without[name] })...)
	}
}

func profilesOf(objects []*frrk8sv1beta1.FRRConfiguration) string {
	var names []string
	for _, o := range objects {
		for _, p := range o.Spec.BGP.BFDProfiles {
			names = append(names, p.Name)
		}
	}
	return strings.Join(names, " ")
}

func TestBisection(t *testing.T) {
	refusal := func(why string) error { return &apply.Error{Kind: apply.Refused, Message: why} }
	known := refusal("known")
	// Words that can't be in one object.
	excluding := func(sets ...string) func(string) error {
		return func(profiles string) error {
			have := strings.Fields(profiles)
			for _, set := range sets {
				if !slices.ContainsFunc(strings.Fields(set), func(word string) bool { return !slices.Contains(have, word) }) {
					return refusal("has " + set)
				}
			}
			return nil
		}
	}
	tests := map[string]struct {
		contributors string
		suspects     map[string]error
		try          func(profiles string) error
		kept         string
		refused      map[string]string
		err          bool
		tried        []string
	}{
		"one is bad": {
			contributors: "a b c", try: excluding("b"),
			kept: "a c", refused: map[string]string{"b": "has b"},
			tried: []string{"a", "a b", "a c"},
		},
		"two exclude each other: the older one stays": {
			contributors: "new old mid", try: excluding("new old"),
			kept: "new mid", refused: map[string]string{"old": "has new old"},
			tried: []string{"new", "new old", "new mid"},
		},
		"all are bad": {
			contributors: "a b", try: excluding("a", "b"),
			refused: map[string]string{"a": "has a", "b": "has b"},
			tried:   []string{"a", "b"},
		},
		"the suspect is still the only one": {
			contributors: "a b c", suspects: map[string]error{"b": known}, try: excluding("b"),
			kept: "a c", refused: map[string]string{"b": "known"},
			tried: []string{"a c"},
		},
		"a suspect that is gone counts for nothing": {
			contributors: "a c", suspects: map[string]error{"b": known}, try: excluding("c"),
			kept: "a", refused: map[string]string{"c": "has c"},
			tried: []string{"a", "a c"},
		},
		"another one is bad, and the suspect is well again": {
			contributors: "a b c", suspects: map[string]error{"b": known}, try: excluding("c"),
			kept: "a b", refused: map[string]string{"c": "has c"},
			tried: []string{"a c", "a", "a b", "a b c"},
		},
		"the only contributor is the suspect": {
			contributors: "a", suspects: map[string]error{"a": known}, try: excluding("a"),
			refused: map[string]string{"a": "known"},
			tried:   []string{""},
		},
		"something else goes wrong without the suspect": {
			contributors: "a b", suspects: map[string]error{"b": known}, try: func(string) error { return errLost },
			err: true, tried: []string{"a"},
		},
		"something else goes wrong on the way": {
			contributors: "a b c", try: func(profiles string) error {
				if profiles == "a b" {
					return errors.Join(refusal("no"), errLost)
				}
				return nil
			},
			err: true, tried: []string{"a", "a b"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var tried []string
			contributors := strings.Fields(test.contributors)
			b := apply.Admission{
				Contributors: contributors, RefusedBefore: test.suspects, Render: rendererOf("frr", contributors...),
				Try: func(_ context.Context, objects []*frrk8sv1beta1.FRRConfiguration) error {
					tried = append(tried, profilesOf(objects))
					return test.try(profilesOf(objects))
				},
			}
			kept, refused, err := b.Run(t.Context())
			if (err != nil) != test.err {
				t.Fatalf("error: %v", err)
			}
			reasons := map[string]string{}
			for name, err := range refused {
				reasons[name] = apply.Errors(err)[0].Message
			}
			if got := strings.Join(kept, " "); got != test.kept {
				t.Errorf("kept: got %q, want %q", got, test.kept)
			}
			if !maps.Equal(reasons, test.refused) {
				t.Errorf("refused: got %v, want %v", reasons, test.refused)
			}
			if !slices.Equal(tried, test.tried) {
				t.Errorf("tried: got %q, want %q", tried, test.tried)
			}
			if err != nil && (kept != nil || refused != nil) {
				t.Error("a result beside an error")
			}
		})
	}
}
