package vteps

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// writer makes changes in one network namespace.
type writer struct{ handle *netlink.Handle }

// do makes a change. It is no error if the object is already as it is to be, but for a
// device that came in between: it is not ours, and needs another plan.
func (w writer) do(c Change) error {
	err := w.attempt(c)
	switch {
	case c.Verb == AddAddress && errors.Is(err, syscall.EEXIST):
		return nil
	case c.Verb == DeleteAddress && errors.Is(err, syscall.EADDRNOTAVAIL), c.Verb == DeleteDevice && errors.Is(err, syscall.ENODEV):
		return nil
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("cannot %s: %w (the agent needs the capability NET_ADMIN)", c, err)
	case c.Verb == CreateDevice && errors.Is(err, syscall.EOPNOTSUPP):
		return fmt.Errorf("cannot %s: %w (the node's kernel has no dummy devices: load the module dummy)", c, err)
	case err != nil:
		return fmt.Errorf("cannot %s: %w", c, err)
	}
	return nil
}

func (w writer) attempt(c Change) error {
	if c.Verb == CreateDevice {
		return w.handle.LinkAdd(&netlink.Dummy{LinkAttrs: attributes(&c.Device)})
	}
	link := &netlink.Dummy{LinkAttrs: attributes(&c.Device)}
	if link.Index == 0 {
		// It was made in this very pass.
		made, err := w.handle.LinkByName(c.Device.Name)
		if err != nil {
			return err
		}
		link.Index = made.Attrs().Index
	}
	switch c.Verb {
	case SetAlias:
		return w.handle.LinkSetAlias(link, c.Device.Alias)
	case SetUp:
		return w.handle.LinkSetUp(link)
	case AddAddress:
		return w.handle.AddrAdd(link, addressOf(c.Address))
	case DeleteAddress:
		return w.handle.AddrDel(link, addressOf(c.Address))
	case DeleteDevice:
		return w.handle.LinkDel(link)
	default:
		return fmt.Errorf("there is no verb %d", c.Verb)
	}
}

func attributes(d *Device) netlink.LinkAttrs {
	out := netlink.NewLinkAttrs()
	out.Index, out.Name, out.Group = int(d.Index), d.Name, d.Group
	return out
}

// addressOf is used at once: on a device without a cable nobody can have it, too.
func addressOf(p netip.Prefix) *netlink.Addr {
	out := &netlink.Addr{IPNet: &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}}
	if p.Addr().Is6() {
		out.Flags = unix.IFA_F_NODAD
	}
	return out
}
