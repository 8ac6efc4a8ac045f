package vrfs

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// subscribed are the kinds of events that may undo a network's place.
var subscribed = []uint{
	unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
}

// onlyDefaultRoutes has the kernel keep back the events of all routes but default
// ones: with a full BGP feed there are far too many, and each event is a
// message of its own.
func onlyDefaultRoutes() []bpf.Instruction {
	const (
		kindAt   = 4                       // nlmsg_type of struct nlmsghdr
		lengthAt = unix.SizeofNlMsghdr + 1 // rtm_dst_len of struct rtmsg
		all      = 1<<32 - 1               // bytes to keep
		none     = 0
	)
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: kindAt, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: asLoaded(unix.RTM_NEWROUTE), SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: asLoaded(unix.RTM_DELROUTE), SkipTrue: 2},
		bpf.LoadAbsolute{Off: lengthAt, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: all},
		bpf.RetConstant{Val: none},
	}
}

// asLoaded is a number of netlink's, which has the machine's byte order, as BPF
// loads it, which takes everything for big endian.
func asLoaded(kind uint16) uint32 {
	return uint32(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, kind)))
}

// concerned sorts out the devices of pods, which come and go all the time, and
// default routes that are no stop of a table. What a message says is not taken for a
// fact: the next pass reads the kernel.
func (l *Loop) concerned(messages []syscall.NetlinkMessage) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range messages {
		switch m.Header.Type {
		case unix.RTM_NEWRULE, unix.RTM_DELRULE:
			// A rule of another priority may have taken a table, or leave it again.
			if r, err := decodeRule(m.Data); err != nil || r.Priority == RulePriority || l.troubled {
				return true
			}
		case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
			// A stop may also be replaced; then the event has only the new route.
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
