package vrfs

import (
	"context"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// SyncFirst makes only the first changes of a pass, as an agent does that is
// killed. It tells how many there were to make.
func (k *Keeper) SyncFirst(networks []Network, only int) (int, error) {
	observed, err := Observe(k.Namespace)
	if err != nil {
		return 0, err
	}
	changes, states := Plan(networks, observed, DefaultTableStart)
	handle, err := netlink.NewHandleAt(k.Namespace, unix.NETLINK_ROUTE)
	if err != nil {
		return 0, err
	}
	defer handle.Close()
	_, err = k.carryOut(Report{Networks: states}, changes[:min(only, len(changes))], writer{handle}.do)
	return len(changes), err
}

// Follow hands everything that a Loop is told to each, until ctx ends.
func (l *Loop) Follow(ctx context.Context, each func([]syscall.NetlinkMessage), then func(context.Context)) error {
	return l.subscription().Follow(ctx, each, func(error) {}, then)
}

// Concerned tells whether messages are worth a pass.
func (l *Loop) Concerned(messages []syscall.NetlinkMessage) bool { return l.concerned(messages) }
