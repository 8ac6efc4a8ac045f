package canary_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/canary"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// healthy is a node whose FRR runs what it has.
func healthy(wanted, live canary.Text) canary.Node {
	return canary.Node{Up: true, Wanted: wanted, Live: live, Report: canary.Report{Known: true, OK: true, Runs: live.Digest != 0}}
}

func text(digest uint64, forms ...uint64) canary.Text {
	return canary.Text{Digest: digest, Forms: forms}
}

// cluster is a Trial with the step at which it is settled.
type cluster struct {
	*canary.Trial
	t       *testing.T
	settled bool
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, settled: true}
	c.Trial = &canary.Trial{Settled: func() bool { return c.settled }}
	return c
}

// expect decides for a node and compares in brief: the permission, with + if the live text
// stays, and the nodes to wake.
func (c *cluster) expect(node string, n canary.Node, want string, wake ...string) canary.Decision {
	c.t.Helper()
	d := c.Decide(node, n)
	got := strings.TrimPrefix(d.State.Permission.String(), "Raw")
	if d.Keep {
		got += "+"
	}
	if d.State.Canary != "" {
		got += " " + d.State.Canary
	}
	if d.State.Failure != "" {
		got += ": " + d.State.Failure
	}
	if got != want || !slices.Equal(d.Wake, wake) {
		c.t.Errorf("%s: %q, waking %v, want %q, waking %v", node, got, d.Wake, want, wake)
	}
	return d
}

func TestTheFirstByNameGetsATextBeforeAllOthers(t *testing.T) {
	c := newCluster(t)
	c.settled = false
	b := text(0xb, 1, 2)
	for _, node := range []string{"c", "a", "b"} {
		c.expect(node, healthy(b, text(0)), "Waiting")
	}
	c.settled = true
	if wake := c.Choose(); !slices.Equal(wake, []string{"a", "b", "c"}) {
		t.Errorf("wakes %v", wake)
	}
	c.expect("b", healthy(b, text(0)), "Waiting a")
	c.expect("a", healthy(b, text(0)), "On")

	loading := healthy(b, b)
	loading.Report.Runs = false
	c.expect("a", loading, "On")
	c.expect("b", healthy(b, text(0)), "Waiting a")
	c.expect("a", healthy(b, b), "On", "b", "c")
	c.expect("b", healthy(b, text(0)), "On")
	c.expect("c", healthy(text(0xc, 2), text(0)), "On")
}

func TestWhatTheCanaryRefusesStaysThere(t *testing.T) {
	c := newCluster(t)
	old, next := text(0xa, 1), text(0xb, 1, 2)
	for _, node := range []string{"a", "b"} {
		c.expect(node, healthy(old, old), "On")
	}
	c.expect("a", healthy(next, old), "On")
	c.expect("b", healthy(next, old), "Waiting+ a")

	failed := healthy(next, next)
	failed.Report = canary.Report{Known: true, Failure: "% Unknown command"}
	d := c.expect("a", failed, "TakenOff: % Unknown command", "b")
	if d.Refusal.Kind != next.Kind() {
		t.Errorf("notes kind %x, want %x", d.Refusal.Kind, next.Kind())
	}
	failed.Live, failed.Refusal = text(0), d.Refusal
	c.expect("a", failed, "TakenOff: % Unknown command", "b")
	c.expect("b", healthy(next, old), "Waiting+ a: % Unknown command")

	// The same forms with other prefixes are refused as well, other forms are not.
	well := healthy(text(0xc, 1, 2), text(0))
	well.Refusal = d.Refusal
	c.expect("a", well, "TakenOff: % Unknown command")
	c.expect("b", healthy(text(0xd, 1, 3), old), "On")
}

func TestAFailureThatIsAboutSomethingElseTakesNothingOff(t *testing.T) {
	old, next := text(0xa, 1), text(0xb, 1)
	t.Run("while FRR runs what it took", func(t *testing.T) {
		c := newCluster(t)
		c.expect("a", healthy(old, old), "On")
		failing := healthy(old, old)
		failing.Report.OK, failing.Report.Failure = false, "somebody's line"
		c.expect("a", failing, "On")
		failing.Wanted = next
		c.expect("a", failing, "Waiting+")
		c.expect("a", healthy(next, old), "On")
	})
	t.Run("after a restart of the manager", func(t *testing.T) {
		c := newCluster(t)
		failing := healthy(old, old)
		failing.Report.OK, failing.Report.Failure = false, "somebody's line"
		c.expect("a", failing, "On")
	})
	t.Run("that came before the text was cut", func(t *testing.T) {
		c := newCluster(t)
		c.expect("a", healthy(old, old), "On")
		failing := healthy(next, old)
		failing.Report.OK, failing.Report.Failure = false, "somebody's line"
		c.expect("a", failing, "Waiting+")
		failing.Live, failing.Report.Runs = text(0xc, 1), false
		c.expect("a", failing, "Waiting+")
	})
	t.Run("of the conversion", func(t *testing.T) {
		c := newCluster(t)
		c.expect("a", healthy(next, text(0)), "On")
		unconverted := healthy(next, next)
		unconverted.Report = canary.Report{Known: true}
		c.expect("a", unconverted, "On")
	})
}

func TestAReloadThatFailedHalfwayIsAFailure(t *testing.T) {
	c := newCluster(t)
	next := text(0xb, 1)
	c.expect("a", healthy(next, text(0)), "On")
	half := healthy(next, next)
	half.Report.OK, half.Report.Failure = false, "failed to apply"
	c.expect("a", half, "TakenOff: failed to apply")
}

func TestANewFRRThatRefusesAProvenTextLosesIt(t *testing.T) {
	c := newCluster(t)
	old := text(0xa, 1)
	c.expect("a", healthy(old, old), "On")
	c.expect("b", healthy(old, old), "On")
	upgraded := healthy(old, old)
	upgraded.Report = canary.Report{Known: true, Failure: "no such command"}
	c.expect("a", upgraded, "TakenOff: no such command")
	c.expect("b", healthy(old, old), "On")
}

func TestACanaryThatGoesAwayIsReplaced(t *testing.T) {
	next := text(0xb, 1)
	for name, goes := range map[string]func(c *cluster){
		"deleted":      func(c *cluster) { c.Forget("a") },
		"without need": func(c *cluster) { c.expect("a", healthy(text(0), text(0)), "On", "b", "c") },
		"down": func(c *cluster) {
			down := healthy(next, next)
			down.Up, down.Report.Runs = false, false
			c.expect("a", down, "Waiting a")
			c.expect("b", healthy(next, text(0)), "Waiting a")
			down.Live = text(0)
			c.expect("a", down, "Waiting b", "b", "c")
		},
		"without a report": func(c *cluster) {
			c.expect("a", canary.Node{Up: true, Wanted: next}, "Waiting b", "b", "c")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.expect("a", healthy(next, text(0)), "On")
			c.expect("b", healthy(next, text(0)), "Waiting a")
			c.expect("c", healthy(next, text(0)), "Waiting a")
			goes(c)
			c.expect("b", healthy(next, text(0)), "On")
			c.expect("c", healthy(next, text(0)), "Waiting b")
		})
	}
}

func TestTheOnlyNodeKeepsItsTrialWhileItIsDown(t *testing.T) {
	c := newCluster(t)
	next := text(0xb, 1)
	c.expect("a", healthy(next, text(0)), "On")
	down := healthy(next, next)
	down.Up, down.Report.Runs = false, false
	c.expect("a", down, "On")
}

func TestWithoutReportsNobodyGetsRawText(t *testing.T) {
	c := newCluster(t)
	silent := canary.Node{Up: true, Wanted: text(0xb, 1)}
	c.expect("a", silent, "Waiting")
	c.expect("b", silent, "Waiting")
	if counts := c.Counts(); counts[model.RawWaiting] != 2 || counts[model.RawOn]+counts[model.RawTakenOff] != 0 {
		t.Errorf("%v", counts)
	}
}

func TestANewManagerGoesOnWithTheCanary(t *testing.T) {
	c := newCluster(t)
	old, next := text(0xa, 1), text(0xb, 1, 2)
	loading := healthy(next, next)
	loading.Report.Runs = false
	c.settled = false
	c.expect("b", loading, "On")
	c.expect("a", healthy(next, old), "Waiting+ b")
	c.settled = true
	c.expect("a", healthy(next, old), "Waiting+ b")
	c.expect("b", healthy(next, next), "On", "a")
	c.expect("a", healthy(next, old), "On")
}

func TestANewManagerTakesNothingFromNodesThatSayNothing(t *testing.T) {
	c := newCluster(t)
	old, next := text(0xa, 1), text(0xb, 1, 2)
	c.settled = false
	for _, node := range []string{"a", "b", "c"} {
		c.Decide(node, canary.Node{Up: true, Wanted: next, Live: old})
	}
	c.settled = true
	c.Choose()
	c.expect("b", canary.Node{Up: true, Wanted: next, Live: old}, "Waiting+ a")
	c.expect("c", canary.Node{Up: true, Wanted: next, Live: old}, "Waiting+ a")
	c.expect("a", healthy(next, old), "On", "b", "c")
}
