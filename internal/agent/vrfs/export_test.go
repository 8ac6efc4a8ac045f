package vrfs

import (
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
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

// Subscribe returns the socket that a Loop reads.
func (l *Loop) Subscribe() (*nl.NetlinkSocket, error) {
	err := l.subscribe()
	return l.socket, err
}

// Concerned tells whether messages are worth a pass.
func (l *Loop) Concerned(messages []syscall.NetlinkMessage) bool { return l.concerned(messages) }
