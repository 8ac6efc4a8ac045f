package rtnetlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ErrShort is for a message that is not whole.
var ErrShort = errors.New("a netlink message ends too early")

// attributeKinds masks NLA_F_NESTED and NLA_F_NET_BYTEORDER.
const attributeKinds = 0x3fff

// Attributes calls each attribute of a message. Decoding is done here rather than by the
// netlink library because that makes a struct with a dozen pointers of every route, of
// which there are a hundred thousand, and because it trusts the last attribute's padding
// to be there, and panics where it isn't.
func Attributes(b []byte, each func(kind uint16, value []byte) error) error {
	for len(b) >= unix.SizeofRtAttr {
		length := int(binary.NativeEndian.Uint16(b))
		kind := binary.NativeEndian.Uint16(b[2:]) & attributeKinds
		if length < unix.SizeofRtAttr || length > len(b) {
			return fmt.Errorf("attribute %d of %d bytes: %w", kind, length, ErrShort)
		}
		if err := each(kind, b[unix.SizeofRtAttr:length]); err != nil {
			return err
		}
		b = b[min(len(b), (length+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1)):]
	}
	return nil
}

// Uint32 reads an attribute that is a number.
func Uint32(value []byte) (uint32, error) {
	if len(value) < 4 {
		return 0, ErrShort
	}
	return binary.NativeEndian.Uint32(value), nil
}

// Address reads an attribute that is an address.
func Address(value []byte) (netip.Addr, error) {
	a, ok := netip.AddrFromSlice(value)
	if !ok {
		return netip.Addr{}, fmt.Errorf("an address of %d bytes", len(value))
	}
	return a.Unmap(), nil
}
