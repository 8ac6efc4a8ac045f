package current

import "testing"

func TestPlanKnowsWhichNodesAreBehind(t *testing.T) {
	caughtUp := 0
	p := Rollout{OnCaughtUp: func() { caughtUp++ }}
	if p.Revision() != nil {
		t.Fatal("a plan has a revision before the first one")
	}
	p.Replace(&Revision{}, []string{"a", "b"})
	first := p.Revision()

	p.CaughtUp("a", first)
	if p.Behind() != 1 || caughtUp != 0 {
		t.Fatalf("after one of two nodes: %d behind, caught up %d times", p.Behind(), caughtUp)
	}
	p.Replace(&Revision{}, []string{"b", "c"})
	p.CaughtUp("b", first)
	if p.Behind() != 2 {
		t.Errorf("a node planned by the old revision counts for the new one: %d behind, want 2", p.Behind())
	}
	second := p.Revision()
	if second.Number <= first.Number {
		t.Errorf("revision %d follows %d", second.Number, first.Number)
	}
	p.CaughtUp("b", second)
	p.CaughtUp("c", second)
	if p.Behind() != 0 || caughtUp != 1 {
		t.Errorf("in the end %d behind, caught up %d times, want 0 and 1", p.Behind(), caughtUp)
	}
	p.CaughtUp("c", second)
	if caughtUp != 1 {
		t.Error("a node that was not behind made the plan catch up again")
	}
}

func TestRevisionTellsWhoAdvertisesANetwork(t *testing.T) {
	one := &Revision{advertisers: map[string][]string{"default": {"a", "b"}}, standings: map[string]standing{"a": decided, "b": decided}}
	tests := map[string]struct {
		other *Revision
		same  bool
	}{
		"none":            {nil, false},
		"equal":           {&Revision{advertisers: map[string][]string{"default": {"a", "b"}}, standings: map[string]standing{"a": decided, "b": decided}}, true},
		"one less":        {&Revision{advertisers: map[string][]string{"default": {"a"}}, standings: map[string]standing{"a": decided, "b": decided}}, false},
		"another network": {&Revision{advertisers: map[string][]string{"red": {"a", "b"}}, standings: map[string]standing{"a": decided, "b": decided}}, false},
		"stands aside":    {&Revision{advertisers: map[string][]string{"default": {"a", "b"}}, standings: map[string]standing{"a": decided, "b": left}}, false},
		"renders beside":  {&Revision{advertisers: map[string][]string{"default": {"a", "b"}}, standings: map[string]standing{"a": decided, "b": shared}}, false},
		"another object":  {&Revision{advertisers: map[string][]string{"default": {"a", "b"}}, standings: map[string]standing{"a": decided, "c": decided}}, false},
	}
	for name, test := range tests {
		if got := one.SameAdvertisers(test.other); got != test.same {
			t.Errorf("%s: same %v, want %v", name, got, test.same)
		}
	}
}
