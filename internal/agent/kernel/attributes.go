package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// attributeKinds masks NLA_F_NESTED and NLA_F_NET_BYTEORDER.
const attributeKinds = 0x3fff

var errShort = errors.New("the message ends too early")

// attributes calls each attribute of a netlink message. Decoding is done here
// rather than by the netlink library because that makes a struct with a dozen
// pointers of every route, and there are a hundred thousand of them.
func attributes(b []byte, each func(kind uint16, value []byte) error) error {
	for len(b) >= unix.SizeofRtAttr {
		length := int(binary.NativeEndian.Uint16(b))
		kind := binary.NativeEndian.Uint16(b[2:]) & attributeKinds
		if length < unix.SizeofRtAttr || length > len(b) {
			return fmt.Errorf("attribute %d of %d bytes: %w", kind, length, errShort)
		}
		if err := each(kind, b[unix.SizeofRtAttr:length]); err != nil {
			return err
		}
		b = b[min(len(b), (length+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1)):]
	}
	return nil
}

func number32(value []byte) (uint32, error) {
	if len(value) < 4 {
		return 0, errShort
	}
	return binary.NativeEndian.Uint32(value), nil
}

func address(value []byte) (netip.Addr, error) {
	a, ok := netip.AddrFromSlice(value)
	if !ok {
		return netip.Addr{}, fmt.Errorf("an address of %d bytes", len(value))
	}
	return a.Unmap(), nil
}
