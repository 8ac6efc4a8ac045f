package rtnetlink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/net/bpf"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

// reopening is how a socket is tried for again, for two minutes or so.
var reopening = wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Cap: 30 * time.Second, Steps: 12}

// Subscription is a place among the listeners of a kernel's events.
type Subscription struct {
	Namespace netns.NsHandle
	// Groups are RTNLGRP_ constants.
	Groups []uint
	// Buffer is how many bytes of events may wait, 0 for the kernel's default.
	// More than net.core.rmem_max needs CAP_NET_ADMIN.
	Buffer int
	// Filter has the kernel keep events back; none does not.
	Filter []bpf.Instruction

	mu     sync.Mutex
	socket *nl.NetlinkSocket
	closed bool
}

// Follow calls events with the kernel's events while work runs, which is to end when
// its context does. work begins after the subscription, so that there is no gap between
// what it lists and the events. After events were lost, Follow subscribes again and
// then calls lost with the cause. If it can't, it ends work and returns the error.
func (s *Subscription) Follow(ctx context.Context, events func([]syscall.NetlinkMessage), lost func(error), work func(context.Context)) error {
	if err := s.open(); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.read(ctx, events, lost) })
	group.Go(func() error {
		work(ctx)
		return nil
	})
	group.Go(func() error {
		// It ends a read that waits.
		<-ctx.Done()
		s.close()
		return nil
	})
	return group.Wait()
}

func (s *Subscription) read(ctx context.Context, events func([]syscall.NetlinkMessage), lost func(error)) error {
	for ctx.Err() == nil {
		messages, _, err := s.current().Receive()
		switch {
		case ctx.Err() != nil:
		case err == nil:
			events(messages)
		case !errors.Is(err, syscall.EINTR):
			if failure := s.reopen(ctx); failure != nil {
				return failure
			}
			lost(err)
		}
	}
	return nil
}

// Join adds a group, for as long as the subscription lasts. A caller lists after
// it returned.
func (s *Subscription) Join(group uint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.Groups, group) {
		return nil
	}
	if s.socket != nil {
		if err := unix.SetsockoptInt(s.socket.GetFd(), unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(group)); err != nil {
			return fmt.Errorf("cannot subscribe to group %d of the kernel's events: %w", group, err)
		}
	}
	s.Groups = append(slices.Clone(s.Groups), group)
	return nil
}

func (s *Subscription) current() *nl.NetlinkSocket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socket
}

func (s *Subscription) reopen(ctx context.Context) error {
	var failure error
	err := wait.ExponentialBackoffWithContext(ctx, reopening, func(context.Context) (bool, error) {
		failure = s.open()
		return failure == nil, nil
	})
	if err != nil && ctx.Err() == nil {
		return failure
	}
	return nil
}

// open puts a new socket in the place of the old one, which is closed only then.
func (s *Subscription) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	fresh, err := s.subscribe()
	if err != nil {
		return err
	}
	if s.socket != nil {
		_ = s.socket.Close()
	}
	s.socket = fresh
	return nil
}

// subscribe returns a new socket; the caller holds the lock.
func (s *Subscription) subscribe() (*nl.NetlinkSocket, error) {
	fresh, err := nl.SubscribeAt(orOwn(s.Namespace), netns.None(), unix.NETLINK_ROUTE, s.Groups...)
	if err != nil {
		return nil, fmt.Errorf("cannot subscribe to the kernel's events: %w", err)
	}
	if err := s.prepare(fresh); err != nil {
		_ = fresh.Close()
		return nil, err
	}
	return fresh, nil
}

func (s *Subscription) prepare(fresh *nl.NetlinkSocket) error {
	if s.Buffer > 0 {
		if err := fresh.SetReceiveBufferSize(s.Buffer, true); err != nil {
			if err := fresh.SetReceiveBufferSize(s.Buffer, false); err != nil {
				return fmt.Errorf("cannot get a receive buffer of %d bytes: %w", s.Buffer, err)
			}
		}
	}
	if len(s.Filter) == 0 {
		return nil
	}
	filter, err := bpf.Assemble(s.Filter)
	if err != nil {
		return fmt.Errorf("the filter of the kernel's events is wrong: %w", err)
	}
	program := make([]unix.SockFilter, len(filter))
	for i, f := range filter {
		program[i] = unix.SockFilter{Code: f.Op, Jt: f.Jt, Jf: f.Jf, K: f.K}
	}
	err = unix.SetsockoptSockFprog(fresh.GetFd(), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err != nil {
		return fmt.Errorf("cannot filter the kernel's events: %w", err)
	}
	return nil
}

func (s *Subscription) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = s.socket.Close()
}
