package rtnetlink

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	// listingTimeout is for a kernel that doesn't answer at all, in seconds.
	listingTimeout = 60
	// attempts is how often a listing that was interrupted is begun again.
	attempts = 10
)

// List calls each with every message of a listing. Interrupted reports by List's error
// whether the listing may be wrong; an error of each ends the listing and is returned.
func List(namespace netns.NsHandle, request *nl.NetlinkRequest, each func(payload []byte) error) error {
	s, err := nl.GetNetlinkSocketAt(orOwn(namespace), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("cannot open a netlink socket: %w", err)
	}
	defer func() { _ = s.Close() }()
	// Without strict checking the kernel ignores the filter and sends every
	// table, millions of routes on some nodes.
	if err := unix.SetsockoptInt(s.GetFd(), unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1); err != nil {
		return fmt.Errorf("the kernel can't filter listings (Linux 4.20 or newer is needed): %w", err)
	}
	if err := s.SetReceiveTimeout(&unix.Timeval{Sec: listingTimeout}); err != nil {
		return err
	}
	request.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: {Socket: s}}
	var failure error
	err = request.ExecuteIter(unix.NETLINK_ROUTE, 0, func(payload []byte) bool {
		failure = each(payload)
		return failure == nil
	})
	if failure != nil {
		return failure
	}
	return err
}

// ListWhole is List for what changes seldom: a listing that was interrupted is
// begun again, after undo, up to ten times.
func ListWhole(namespace netns.NsHandle, request *nl.NetlinkRequest, each func(payload []byte) error, undo func()) error {
	for attempt := 1; ; attempt++ {
		err := List(namespace, request, each)
		if attempt == attempts || !Interrupted(err) {
			return err
		}
		undo()
	}
}

// Interrupted reports whether an error says that something changed while it was
// listed (NLM_F_DUMP_INTR).
func Interrupted(err error) bool { return errors.Is(err, netlink.ErrDumpInterrupted) }

// Devices asks for all devices, without their statistics.
func Devices() *nl.NetlinkRequest {
	request := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	request.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	const skipStatistics = 1 << 3 // RTEXT_FILTER_SKIP_STATS
	request.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, binary.NativeEndian.AppendUint32(nil, skipStatistics)))
	return request
}

// NewHandle opens a handle for changes.
func NewHandle(namespace netns.NsHandle) (*netlink.Handle, error) {
	handle, err := netlink.NewHandleAt(orOwn(namespace), unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("cannot open a netlink socket: %w", err)
	}
	return handle, nil
}

func orOwn(namespace netns.NsHandle) netns.NsHandle {
	if namespace <= 0 {
		return netns.None()
	}
	return namespace
}
