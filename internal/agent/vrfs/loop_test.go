package vrfs_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
)

// TestLoopPutsBack has somebody else undo everything, piece by piece. With an
// interval of an hour only events can tell.
func TestLoopPutsBack(t *testing.T) {
	ns := place(t)
	loop := vrfs.NewLoop(&vrfs.Keeper{Namespace: ns.Handle, Log: logr.Discard()})
	loop.Pause, loop.Interval = 10*time.Millisecond, time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	networks := []vrfs.Network{blue(), green()}
	loop.Apply(networks)
	complete := func() bool {
		observed, err := vrfs.Observe(ns.Handle)
		if err != nil {
			t.Fatal(err)
		}
		changes, _ := vrfs.Plan(networks, observed, vrfs.DefaultTableStart)
		return len(changes) == 0
	}
	eventually(t, complete)
	for _, harm := range []string{
		"rule del priority 2000 to 10.20.0.0/16", "-6 rule del priority 2000 to fd20::/48", "link set blue down", "link set blue alias other", "link del blue",
		"route del unreachable default table 1000000005 metric 4278198272", "-6 route del unreachable default table 1000000005 metric 4278198272",
		"route flush table 1000000005",
	} {
		ns.Exec(t, "ip", strings.Fields(harm)...)
		eventually(t, complete)
		if t.Failed() {
			t.Fatalf("after %q it is not put back", harm)
		}
	}
	loop.Apply(nil)
	eventually(t, func() bool { return !strings.Contains(listing(t, ns), "1000000005") })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	deadline, tick := time.Now().Add(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen in time")
		}
		<-tick.C
	}
}
