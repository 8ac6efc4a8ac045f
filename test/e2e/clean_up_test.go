package e2e_test

import (
	"context"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestCleanUpWaitsWhileItGoesOn(t *testing.T) {
	type sight struct {
		left  []string
		lines int
	}
	// Long for a look, however busy the machine is.
	const within, between = 2 * time.Second, 10 * time.Millisecond
	some := []string{"route"}
	for name, c := range map[string]struct {
		sights []sight
		// again has them come again and again, in place of the last one.
		again, fails bool
	}{
		"nothing":                           {sights: []sight{{nil, 9}}},
		"less and less, slowly":             {sights: []sight{{some, 9}, {some, 9}, {some, 8}, {some, 8}, {some, 8}, {some, 7}, {some, 7}, {some, 7}, {some, 6}, {nil, 6}}},
		"what stays":                        {sights: []sight{{some, 9}, {some, 8}}, fails: true},
		"what two write and delete by turn": {sights: []sight{{some, 9}, {some, 8}}, again: true, fails: true},
	} {
		var failure string
		func() {
			defer func() { _ = recover() }()
			g := NewGomega(func(message string, _ ...int) { failure = message; panic(message) })
			g.SetDefaultEventuallyTimeout(within)
			g.SetDefaultEventuallyPollingInterval(between)
			g.EnforceDefaultTimeoutsWhenUsingContexts()
			looked := 0
			awaitNothing(t.Context(), g, func(context.Context) ([]string, int, error) {
				at := min(looked, len(c.sights)-1)
				if c.again {
					at = looked % len(c.sights)
				}
				now := c.sights[at]
				looked++
				return now.left, now.lines, nil
			})
		}()
		if (failure != "") != c.fails {
			t.Errorf("%s: failure %q, want one: %v", name, failure, c.fails)
		}
		if c.fails && !strings.Contains(failure, `does not get less: ["route"]`) {
			t.Errorf("%s: the failure does not say what is left: %s", name, failure)
		}
	}
}
