package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Router is a router outside of the cluster. It accepts sessions from all
// nodes, or has them with the routers that it is behind of, and announces what
// it is told to.
type Router struct {
	RouterDescription
	// BGP is what the router runs.
	BGP
	Machine *machine.Machine
	// Addresses are those on the fabric; none of a router behind others.
	Addresses []netip.Prefix
	// FRR is that of an FRR router, for what only FRR knows; else nil.
	FRR *frr.FRR

	lab     *Lab
	number  byte
	devices []string
	links   []neighbor
	// vrfs is how many there were.
	vrfs int

	mutex     sync.Mutex
	announced map[netip.Prefix]bool
}

// BGP is what specs ask a router, whatever program it runs. A VRF is "" for the
// default one, which is all that GoBGP has here.
type BGP interface {
	// Paths are the valid paths to exactly a prefix.
	Paths(ctx context.Context, vrf string, prefix netip.Prefix) ([]frr.Path, error)
	// Prefixes are all that it has of a family, its own among them.
	Prefixes(ctx context.Context, vrf string, ipv4 bool) ([]string, error)
	// Established tells whether the session with a neighbor is up.
	Established(ctx context.Context, vrf string, neighbor netip.Addr) (bool, error)
	// Restart starts the program with the configuration that it began with.
	Restart(ctx context.Context) error
	// Kill ends it without a word to neighbors.
	Kill()

	// set announces prefixes, or takes them back.
	set(ctx context.Context, announce bool, prefixes []netip.Prefix) error
}

// neighbor is a router at the other end of a link.
type neighbor struct {
	*Router
	addresses []netip.Prefix
}

// Address is the router's on the fabric.
func (r *Router) Address(ipv4 bool) netip.Addr { return ofFamily(r.Addresses, ipv4).Addr() }

// boot makes the machine and links it to the fabric, or to the routers that it
// is behind of.
func (r *Router) boot(ctx context.Context) error {
	var err error
	if r.Machine, err = machine.New(ctx, r.Name, machine.Options{Logs: r.lab.logs()}); err != nil {
		return err
	}
	// Flows, not pairs of hosts, are spread over equal paths, as routers do.
	for _, setting := range []string{"net/ipv4/fib_multipath_hash_policy", "net/ipv6/fib_multipath_hash_policy"} {
		if err := r.Machine.Sysctl(setting, "1"); err != nil {
			return err
		}
	}
	if len(r.Behind) == 0 {
		r.Addresses, r.devices = r.lab.onFabric(r.number), []string{Uplink}
		return machine.Link(
			machine.End{Machine: r.Machine, Name: Uplink, Addresses: texts(r.Addresses)},
			machine.End{Machine: r.lab.fabric, Name: r.Name, Master: fabricBridge})
	}
	for _, name := range r.Behind {
		if err := r.link(r.lab.Router(name)); err != nil {
			return err
		}
	}
	return nil
}

// link is through a switch, as on the fabric: that a router is dead is told by
// its packets, not by the light of its link.
func (r *Router) link(other *Router) error {
	fabric, number := r.lab.fabric, r.lab.routerLinks
	r.lab.routerLinks++
	own, others := r.lab.onLink(number)
	r.links, r.devices = append(r.links, neighbor{other, others}), append(r.devices, other.Name)
	other.links, other.devices = append(other.links, neighbor{r, own}), append(other.devices, r.Name)
	between := fmt.Sprintf("link%d", number)
	if err := fabric.Bridge(between); err != nil {
		return err
	}
	for _, end := range []machine.End{
		{Machine: r.Machine, Name: other.Name, Addresses: texts(own)},
		{Machine: other.Machine, Name: r.Name, Addresses: texts(others)},
	} {
		port := machine.End{Machine: fabric, Name: between + "-" + end.Machine.Name, Master: between}
		if err := machine.Link(end, port); err != nil {
			return err
		}
	}
	return nil
}

func (r *Router) start(ctx context.Context) error {
	if r.GoBGP {
		return r.startGoBGP(ctx)
	}
	return r.startFRR(ctx)
}

// identifier is the router's BGP identifier: it looks like IPv4 also without.
func (r *Router) identifier() netip.Addr {
	id := fabric4.Addr().As4()
	id[3] = r.number
	return netip.AddrFrom4(id)
}

// Configure enters commands of FRR's configuration.
func (r *Router) Configure(ctx context.Context, commands ...string) error {
	if r.FRR == nil {
		return fmt.Errorf("%s is no FRR router: it does not take %q", r.Name, commands)
	}
	return r.FRR.Configure(ctx, commands...)
}

// Announce announces prefixes to all neighbors in the default VRF.
func (r *Router) Announce(ctx context.Context, prefixes ...netip.Prefix) error {
	return r.announce(ctx, true, prefixes)
}

// Withdraw takes announced prefixes back; those that aren't announced are left
// alone.
func (r *Router) Withdraw(ctx context.Context, prefixes ...netip.Prefix) error {
	return r.announce(ctx, false, prefixes)
}

func (r *Router) announce(ctx context.Context, announce bool, prefixes []netip.Prefix) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var changed []netip.Prefix
	for _, p := range prefixes {
		if r.announced[p] != announce {
			changed = append(changed, p)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := r.set(ctx, announce, changed); err != nil {
		return err
	}
	if r.announced == nil {
		r.announced = map[netip.Prefix]bool{}
	}
	for _, p := range changed {
		r.announced[p] = announce
	}
	return nil
}

// PowerOff ends the router as a power failure does. Its links go down first, so
// that no neighbor on the fabric is told that its sessions end.
func (r *Router) PowerOff() error {
	for _, device := range r.devices {
		if err := r.Machine.SetLink(device, false); err != nil {
			return err
		}
	}
	r.Kill()
	return nil
}

// Sever has no packet pass the router's link with the fabric, in either direction. No
// end of it is told: the links themselves are up.
func (r *Router) Sever() error { return r.lab.fabric.Release(r.Name) }

// Mend ends what Sever began.
func (r *Router) Mend() error { return r.lab.fabric.Enslave(r.Name, fabricBridge) }

// PowerOn starts the router again; it announces what it did before.
func (r *Router) PowerOn(ctx context.Context) error {
	for _, device := range r.devices {
		if err := r.Machine.SetLink(device, true); err != nil {
			return err
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var announced []netip.Prefix
	for p, is := range r.announced {
		if is {
			announced = append(announced, p)
		}
	}
	return errors.Join(r.Restart(ctx), r.set(ctx, true, announced))
}

func afi(ipv4 bool) string {
	if ipv4 {
		return "ipv4"
	}
	return "ipv6"
}
