package rtnetlink_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/rtnetlink"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/testns"
)

func receive[T any](t *testing.T, from <-chan T, what string) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: nothing for 30 s", what)
	}
	return got
}

// TestLostEvents overflows a socket's buffer. The subscription tells of it, and
// its next socket has the groups that were joined meanwhile.
func TestLostEvents(t *testing.T) {
	ns := testns.New(t)
	s := &rtnetlink.Subscription{Namespace: ns.Handle, Groups: []uint{unix.RTNLGRP_IPV4_ROUTE}, Buffer: 4096}
	ctx, cancel := context.WithCancel(context.Background())
	// Whoever reads the first event is slow.
	told, gate := make(chan uint16, 100_000), make(chan struct{})
	lost, began, ended := make(chan error, 1), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Follow(ctx, func(messages []syscall.NetlinkMessage) {
			for _, m := range messages {
				told <- m.Header.Type
			}
			<-gate
		}, func(cause error) { lost <- cause }, func(ctx context.Context) {
			close(began)
			<-ctx.Done()
		})
	}()
	receive(t, began, "the subscription")
	if err := s.Join(unix.RTNLGRP_IPV4_RULE); err != nil {
		t.Fatal(err)
	}
	var flood []string
	for i := range 1000 {
		flood = append(flood, fmt.Sprintf("route add 20.1.%d.%d/32 via 172.18.0.2", i>>8, i&255))
	}
	ns.IP(t, flood...)
	close(gate)
	if cause := receive(t, lost, "lost events"); !errors.Is(cause, syscall.ENOBUFS) {
		t.Errorf("events were lost for %v", cause)
	}
	ns.IP(t, "rule add to 203.0.113.1 lookup 5 priority 1999")
	for receive(t, told, "the rule's event") != unix.RTM_NEWRULE {
	}
	cancel()
	if err := receive(t, ended, "the end"); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestNoNamespace has nobody to subscribe with: the work does not begin.
func TestNoNamespace(t *testing.T) {
	s := &rtnetlink.Subscription{Namespace: 1 << 20, Groups: []uint{unix.RTNLGRP_LINK}}
	err := s.Follow(context.Background(), nil, nil, func(context.Context) { t.Error("the work began") })
	if err == nil {
		t.Error("it ended without an error")
	}
}

// TestListingsThatAreInterrupted has a device go while all are listed.
func TestListingsThatAreInterrupted(t *testing.T) {
	ns := testns.New(t)
	var devices []string
	for i := range 200 {
		devices = append(devices, fmt.Sprintf("link add a%d type veth peer name b%d", i, i))
	}
	ns.IP(t, devices...)
	begun, listed := 1, 0
	err := rtnetlink.ListWhole(ns.Handle, rtnetlink.Devices(), func([]byte) error {
		if listed++; listed == 1 && begun == 1 {
			ns.IP(t, "link del a0")
		}
		return nil
	}, func() { begun, listed = begun+1, 0 })
	if err != nil || begun != 2 || listed < 398 {
		t.Errorf("it was begun %d times and listed %d devices: %v", begun, listed, err)
	}
	failure := errors.New("no more")
	if err := rtnetlink.List(ns.Handle, rtnetlink.Devices(), func([]byte) error { return failure }); !errors.Is(err, failure) {
		t.Errorf("the caller's error came back as %v", err)
	}
}
