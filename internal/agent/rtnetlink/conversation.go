package rtnetlink

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Conversation is a socket for many requests, one after the other.
type Conversation struct {
	// Requests counts them.
	Requests int

	sockets map[int]*nl.SocketHandle
}

// NewConversation opens a socket.
func NewConversation(namespace netns.NsHandle) (*Conversation, error) {
	s, err := nl.GetNetlinkSocketAt(orOwn(namespace), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("cannot open a netlink socket: %w", err)
	}
	if err := s.SetReceiveTimeout(&unix.Timeval{Sec: listingTimeout}); err != nil {
		s.Close()
		return nil, err
	}
	return &Conversation{sockets: map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}}, nil
}

// Close closes the socket.
func (c *Conversation) Close() { c.sockets[unix.NETLINK_ROUTE].Close() }

// Ask makes a request, and returns the payloads of what the kernel answered.
func (c *Conversation) Ask(request *nl.NetlinkRequest) ([][]byte, error) {
	c.Requests++
	request.Sockets = c.sockets
	return request.Execute(unix.NETLINK_ROUTE, 0)
}
