package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

const (
	templateFile      = "hack/demo/lab/template.yaml"
	advertisementFile = "hack/demo/lab/advertisement.yaml"
)

// tell runs the chapters; each builds on the one before.
func (d *labDemo) tell(ctx context.Context) error {
	for i, chapter := range []struct {
		title string
		tell  func(context.Context) error
	}{
		{"Every node gets a BGP session with the router", d.peer},
		{"The router announces the server's subnets; the agent imports the routes into OVN", d.learn},
		{"A RouteAdvertisements object advertises the pods to the router", d.advertise},
		{"Packets travel both ways, with the pod's own address", d.talk},
		{"Delete the object to withdraw the routes; apply it again to advertise them again", d.withdraw},
	} {
		fmt.Printf("\n%d. %s\n", i+1, chapter.title)
		if err := chapter.tell(ctx); err != nil {
			return fmt.Errorf("chapter %d: %w", i+1, err)
		}
	}
	return nil
}

// applyFile shows a manifest and applies it.
func (d *labDemo) applyFile(ctx context.Context, file string) error {
	manifest, err := os.ReadFile(filepath.Join(d.root, file))
	if err != nil {
		return err
	}
	fmt.Println()
	show(string(manifest))
	return d.runKubectl(ctx, "apply", "-f", file)
}

func (d *labDemo) peer(ctx context.Context) error {
	if err := d.applyFile(ctx, templateFile); err != nil {
		return err
	}
	err := until(ctx, "all sessions are established", func(ctx context.Context) (bool, error) {
		for _, n := range d.Nodes {
			for _, ipv4 := range d.Families() {
				if up, err := d.tor.Established(ctx, "", n.Address(ipv4)); !up || err != nil {
					return false, err
				}
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	return d.ask(ctx, d.tor.Machine, "vtysh -c 'show bgp ipv4 unicast summary'")
}

func (d *labDemo) learn(ctx context.Context) error {
	fmt.Println()
	for _, subnet := range site {
		fmt.Printf("   tor announces %s\n", subnet)
	}
	if err := d.tor.Announce(ctx, site...); err != nil {
		return err
	}
	routes := "ovn-nbctl lr-route-list GR_" + d.node.Name
	err := until(ctx, "the routes are in OVN of "+d.node.Name, func(ctx context.Context) (bool, error) {
		text, err := d.node.Machine.Run(ctx, "sh", "-c", routes)
		return !slices.ContainsFunc(site, func(subnet netip.Prefix) bool { return !strings.Contains(text, subnet.String()) }), err
	})
	if err != nil {
		return err
	}
	return errors.Join(
		d.ask(ctx, d.node.Machine, "ip route show proto bgp; ip -6 route show proto bgp"),
		d.ask(ctx, d.node.Machine, routes))
}

func (d *labDemo) advertise(ctx context.Context) error {
	if err := d.applyFile(ctx, advertisementFile); err != nil {
		return err
	}
	if err := until(ctx, "the router has the pods' subnets of both nodes", d.torHasPods(true)); err != nil {
		return err
	}
	fmt.Println("   (the nodes' FRR waits up to 5 s before it applies changed route-maps: bgp route-map delay-timer)")
	return errors.Join(
		d.runKubectl(ctx, "get", "ra,frrconfigurations", "--all-namespaces"),
		d.ask(ctx, d.tor.Machine, "vtysh -c 'show bgp ipv4 unicast'"),
		d.ask(ctx, d.tor.Machine, "vtysh -c 'show bgp ipv6 unicast'"))
}

// torHasPods checks that the router has a path to every node's pods or, if want is
// false, to none.
func (d *labDemo) torHasPods(want bool) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		for _, ipv4 := range d.Families() {
			has, err := d.tor.Prefixes(ctx, "", ipv4)
			if err != nil {
				return false, err
			}
			// One per node, in addition to the server's subnet.
			others := len(has) - 1
			if want && others != len(d.Nodes) || !want && others != 0 {
				return false, nil
			}
		}
		return true, nil
	}
}

func (d *labDemo) talk(ctx context.Context) error {
	for _, ipv4 := range d.Families() {
		pod, server := d.pod.Address(ipv4), d.server.Address(ipv4)
		if err := expectSeen(ctx, "pod", d.pod.Machine, "server", server, pod); err != nil {
			return err
		}
		if err := expectSeen(ctx, "server", d.server.Machine, "pod", pod, server); err != nil {
			return err
		}
	}
	return errors.Join(
		d.askFrom(ctx, "pod", d.pod.Machine, fmt.Sprintf("ping -c 2 -i 0.2 -W 2 %s", d.server.Address(true))),
		d.askFrom(ctx, "server", d.server.Machine, fmt.Sprintf("ping -c 2 -i 0.2 -W 2 %s", d.pod.Address(false))))
}

// expectSeen connects, and fails unless the other end sees the right address.
func expectSeen(ctx context.Context, name string, from *machine.Machine, toName string, to, want netip.Addr) error {
	var seen netip.Addr
	err := until(ctx, fmt.Sprintf("%s %s connects to %s %s, which sees %s", name, want, toName, to, want), func(ctx context.Context) (bool, error) {
		var err error
		seen, err = probe.Ask(ctx, from, to)
		return seen == want, err
	})
	if err != nil && seen.IsValid() {
		return fmt.Errorf("%w: it sees %s", err, seen)
	}
	return err
}

func (d *labDemo) withdraw(ctx context.Context) error {
	if err := d.runKubectl(ctx, "delete", "-f", advertisementFile); err != nil {
		return err
	}
	if err := until(ctx, "the router has no path to pods", d.torHasPods(false)); err != nil {
		return err
	}
	if err := d.ask(ctx, d.tor.Machine, "vtysh -c 'show bgp ipv4 unicast'"); err != nil {
		return err
	}
	if err := d.runKubectl(ctx, "apply", "-f", advertisementFile); err != nil {
		return err
	}
	return until(ctx, "the router has them again", d.torHasPods(true))
}

// ask runs a command on a machine, and shows both the command and its output.
func (d *labDemo) ask(ctx context.Context, m *machine.Machine, command string) error {
	return d.askFrom(ctx, m.Name, m, command)
}

func (d *labDemo) askFrom(ctx context.Context, name string, m *machine.Machine, command string) error {
	fmt.Printf("\n   %s$ %s\n", name, command)
	output, err := m.Command(ctx, "sh", "-c", command).CombinedOutput()
	show(string(output))
	if err != nil {
		return fmt.Errorf("%s on %s: %w", command, name, err)
	}
	return nil
}
