package vrfs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// subscribe opens a new socket before it closes the old one.
func (l *Loop) subscribe() error {
	s, err := nl.SubscribeAt(orOwn(l.Keeper.Namespace), netns.None(), unix.NETLINK_ROUTE,
		unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE)
	if err != nil {
		return fmt.Errorf("cannot subscribe to the kernel's device, rule and route events: %w", err)
	}
	if err := attachFilter(s.GetFd()); err != nil {
		_ = s.Close()
		return fmt.Errorf("cannot filter the kernel's route events: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.socket != nil {
		_ = l.socket.Close()
	}
	l.socket = s
	return nil
}

// attachFilter has the kernel keep back the events of all routes but default
// ones: with a full BGP feed there are far too many, and each event is a
// message of its own.
func attachFilter(socket int) error {
	const (
		kindAt   = 4                       // nlmsg_type of struct nlmsghdr
		lengthAt = unix.SizeofNlMsghdr + 1 // rtm_dst_len of struct rtmsg
		all      = 1<<32 - 1               // bytes to keep
		none     = 0
	)
	filter, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: kindAt, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: asLoaded(unix.RTM_NEWROUTE), SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: asLoaded(unix.RTM_DELROUTE), SkipTrue: 2},
		bpf.LoadAbsolute{Off: lengthAt, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: all},
		bpf.RetConstant{Val: none},
	})
	if err != nil {
		return err
	}
	program := make([]unix.SockFilter, len(filter))
	for i, f := range filter {
		program[i] = unix.SockFilter{Code: f.Op, Jt: f.Jt, Jf: f.Jf, K: f.K}
	}
	return unix.SetsockoptSockFprog(socket, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}

// asLoaded is a number of netlink's, which has the machine's byte order, as BPF
// loads it, which takes everything for big endian.
func asLoaded(kind uint16) uint32 {
	return uint32(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, kind)))
}

// read turns events into passes until ctx ends. Lost events are a pass too.
func (l *Loop) read(ctx context.Context) error {
	for ctx.Err() == nil {
		l.mu.Lock()
		s := l.socket
		l.mu.Unlock()
		messages, _, err := s.Receive()
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			if l.concerned(messages) {
				l.poke()
			}
		case !errors.Is(err, syscall.EINTR):
			if err := l.subscribe(); err != nil {
				return err
			}
			l.poke()
		}
	}
	return nil
}

// concerned sorts out the devices of pods, which come and go all the time, and
// the default routes that are nobody's stop. What a message says is not taken
// for a fact: the next pass reads the kernel.
func (l *Loop) concerned(messages []syscall.NetlinkMessage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range messages {
		switch m.Header.Type {
		case unix.RTM_NEWRULE, unix.RTM_DELRULE:
			// Somebody's rule of another priority may have taken a table, or
			// leave it again.
			if r, err := decodeRule(m.Data); err != nil || r.Priority == RulePriority || l.troubled {
				return true
			}
		case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
			// A stop also goes by being replaced, which tells only what came.
			if r, _, err := decodeRoute(m.Data, unix.AF_UNSPEC); err != nil || r.Metric == StopMetric {
				return true
			}
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			d, err := decodeDevice(m.Data)
			if err != nil || d.Kind == kindVRF {
				return true
			}
			for i := range l.networks {
				if l.networks[i].VRF == d.Name {
					return true
				}
			}
		}
	}
	return false
}
