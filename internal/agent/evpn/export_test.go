package evpn

import "syscall"

// Unread are the states while the kernel can't be read.
func Unread(networks []Network, err error) []State { return unread(networks, err) }

// Concerned tells whether messages are worth a pass.
func (l *Loop) Concerned(messages []syscall.NetlinkMessage) bool { return l.concerned(messages) }
