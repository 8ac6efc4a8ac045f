package machine

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// End is one end of a link.
type End struct {
	Machine *Machine
	// Name is that of the device, at most 15 characters.
	Name string
	// MAC is chosen by the kernel if it is empty.
	MAC string
	// Addresses have prefix lengths: 192.0.2.1/24.
	Addresses []string
	// Master is a bridge or VRF of the machine that the device belongs to.
	Master string
}

// Link connects two machines, or two networks of one, and sets both ends up.
func Link(a, b End) error {
	veth := netlink.Veth{PeerName: b.Name, PeerNamespace: netlink.NsFd(b.Machine.Network())}
	veth.LinkAttrs = netlink.NewLinkAttrs()
	veth.Name = a.Name
	if err := a.Machine.links.LinkAdd(&veth); err != nil {
		return fmt.Errorf("link %s of %s with %s of %s: %w", a.Name, a.Machine.Name, b.Name, b.Machine.Name, err)
	}
	for _, end := range []End{a, b} {
		if err := end.configure(); err != nil {
			return fmt.Errorf("set up %s of %s: %w", end.Name, end.Machine.Name, err)
		}
	}
	return nil
}

func (e End) configure() error {
	if err := e.Machine.TXChecksumOff(e.Name); err != nil {
		return err
	}
	link, err := e.Machine.links.LinkByName(e.Name)
	if err != nil {
		return err
	}
	if e.MAC != "" {
		if err := e.Machine.SetMAC(e.Name, e.MAC); err != nil {
			return err
		}
	}
	if e.Master != "" {
		if err := e.Machine.Enslave(e.Name, e.Master); err != nil {
			return err
		}
	}
	// First up, then addresses: an IPv6 address given before would be lost in a
	// change of master.
	if err := e.Machine.links.LinkSetUp(link); err != nil {
		return err
	}
	return e.Machine.AddAddresses(e.Name, e.Addresses...)
}

// Enslave puts a device into a bridge or VRF, which takes IPv6 addresses from
// it.
func (m *Machine) Enslave(device, master string) error {
	link, err := m.links.LinkByName(device)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", device, m.Name, err)
	}
	to, err := m.links.LinkByName(master)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", master, m.Name, err)
	}
	if err := m.links.LinkSetMaster(link, to); err != nil {
		return fmt.Errorf("put %s of %s into %s: %w", device, m.Name, master, err)
	}
	return nil
}

// Release takes a device out of its bridge or VRF.
func (m *Machine) Release(device string) error {
	link, err := m.links.LinkByName(device)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", device, m.Name, err)
	}
	if err := m.links.LinkSetNoMaster(link); err != nil {
		return fmt.Errorf("take %s of %s out: %w", device, m.Name, err)
	}
	return nil
}

// Bridge makes a bridge with addresses and sets it up.
func (m *Machine) Bridge(name string, addresses ...string) error {
	return m.add(&netlink.Bridge{LinkAttrs: named(name)}, addresses...)
}

// VRF makes a VRF device with a table and sets it up.
func (m *Machine) VRF(name string, table uint32) error {
	return m.add(&netlink.Vrf{LinkAttrs: named(name), Table: table})
}

// Dummy makes a device that leads nowhere, for addresses of the machine's own.
func (m *Machine) Dummy(name string, addresses ...string) error {
	return m.add(&netlink.Dummy{LinkAttrs: named(name)}, addresses...)
}

func named(name string) netlink.LinkAttrs {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	return attrs
}

func (m *Machine) add(link netlink.Link, addresses ...string) error {
	name := link.Attrs().Name
	if err := m.links.LinkAdd(link); err != nil {
		return fmt.Errorf("make %s %s in %s: %w", link.Type(), name, m.Name, err)
	}
	return End{Machine: m, Name: name, Addresses: addresses}.configure()
}

// AddAddresses gives a device addresses. IPv6 addresses are usable at once.
func (m *Machine) AddAddresses(device string, addresses ...string) error {
	link, err := m.links.LinkByName(device)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", device, m.Name, err)
	}
	for _, address := range addresses {
		a, err := netlink.ParseAddr(address)
		if err != nil {
			return fmt.Errorf("address %s: %w", address, err)
		}
		if a.IP.To4() == nil {
			a.Flags = unix.IFA_F_NODAD
		}
		if err := m.links.AddrReplace(link, a); err != nil {
			return fmt.Errorf("address %s on %s of %s: %w", address, device, m.Name, err)
		}
	}
	return nil
}

// AddRoute adds a route; table 0 is the main one.
func (m *Machine) AddRoute(destination netip.Prefix, via netip.Addr, table int) error {
	_, network, err := net.ParseCIDR(destination.String())
	if err != nil {
		return err
	}
	route := &netlink.Route{Dst: network, Gw: via.AsSlice(), Table: table}
	if err := m.links.RouteReplace(route); err != nil {
		return fmt.Errorf("route %s via %s in %s: %w", destination, via, m.Name, err)
	}
	return nil
}

// DeleteRoute deletes a route of the main table.
func (m *Machine) DeleteRoute(destination netip.Prefix, via netip.Addr) error {
	_, network, err := net.ParseCIDR(destination.String())
	if err != nil {
		return err
	}
	if err := m.links.RouteDel(&netlink.Route{Dst: network, Gw: via.AsSlice()}); err != nil {
		return fmt.Errorf("delete route %s via %s in %s: %w", destination, via, m.Name, err)
	}
	return nil
}

// DeleteLink deletes a device, and a link's other end with it.
func (m *Machine) DeleteLink(device string) error {
	link, err := m.links.LinkByName(device)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", device, m.Name, err)
	}
	if err := m.links.LinkDel(link); err != nil {
		return fmt.Errorf("delete %s of %s: %w", device, m.Name, err)
	}
	return nil
}

// SetLink sets a device up or down.
func (m *Machine) SetLink(device string, up bool) error {
	link, err := m.links.LinkByName(device)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", device, m.Name, err)
	}
	if up {
		return m.links.LinkSetUp(link)
	}
	return m.links.LinkSetDown(link)
}

// SetMAC gives a device a MAC.
func (m *Machine) SetMAC(device, mac string) error {
	address, err := net.ParseMAC(mac)
	if err != nil {
		return err
	}
	link, err := m.links.LinkByName(device)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", device, m.Name, err)
	}
	if err := m.links.LinkSetHardwareAddr(link, address); err != nil {
		return fmt.Errorf("give %s of %s the MAC %s: %w", device, m.Name, mac, err)
	}
	return nil
}

// TXChecksumOff makes the kernel complete checksums before a packet leaves by
// the device. Between namespaces it would leave them to hardware that is not
// there, and whoever reads whole packets, such as OVS's userspace datapath,
// drops them: ping works, TCP hangs.
func (m *Machine) TXChecksumOff(device string) error {
	return m.Do(func() error {
		socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(socket)
		// struct ethtool_value and struct ifreq of the kernel's interface.
		value := struct{ command, on uint32 }{command: unix.ETHTOOL_STXCSUM}
		var request struct {
			name [unix.IFNAMSIZ]byte
			data unsafe.Pointer
			_    [16]byte
		}
		copy(request.name[:unix.IFNAMSIZ-1], device)
		request.data = unsafe.Pointer(&value)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
		// A VRF has nothing to switch off.
		if errno != 0 && errno != unix.EOPNOTSUPP {
			return fmt.Errorf("switch checksum offload of %s in %s off: %w", device, m.Name, os.NewSyscallError("ioctl", errno))
		}
		return nil
	})
}
