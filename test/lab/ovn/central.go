package ovn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Where a Central's databases are on its machine.
const (
	NorthboundSocket = "/run/ovn/ovnnb_db.sock"
	SouthboundSocket = "/run/ovn/ovnsb_db.sock"
	northboundPort   = 6641
	southboundPort   = 6642
)

// Central is one OVN.
type Central struct {
	Machine                    *machine.Machine
	Northbound, Southbound     *Daemon
	Northd                     *Daemon
	address                    netip.Addr
	northboundDB, southboundDB string
}

// StartCentral starts an OVN with empty databases. With an address of the
// machine, other machines reach the databases over TCP there.
func StartCentral(ctx context.Context, m *machine.Machine, address netip.Addr) (*Central, error) {
	c := &Central{Machine: m, address: address, northboundDB: "/var/lib/ovn/nb.db", southboundDB: "/var/lib/ovn/sb.db"}
	c.Northbound = c.database("ovn-northbound", c.northboundDB, NorthboundSocket, northboundPort)
	c.Southbound = c.database("ovn-southbound", c.southboundDB, SouthboundSocket, southboundPort)
	c.Northd = &Daemon{
		Name: "ovn-northd", machine: m, program: "ovn-northd",
		arguments: []string{"--no-chdir", "--unixctl=/run/ovn/northd.ctl", "--ovnnb-db=unix:" + NorthboundSocket, "--ovnsb-db=unix:" + SouthboundSocket, "-vconsole:info"},
		ready:     answers(m, "/run/ovn/northd.ctl"),
	}
	for file, schema := range map[string]string{c.northboundDB: "ovn-nb", c.southboundDB: "ovn-sb"} {
		if _, err := m.Run(ctx, "ovsdb-tool", "create", file, "/usr/share/ovn/"+schema+".ovsschema"); err != nil {
			return c, err
		}
	}
	for _, daemon := range c.Daemons() {
		if err := daemon.Start(ctx); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *Central) database(name, file, socket string, port int) *Daemon {
	arguments := []string{"--no-chdir", "--unixctl=" + socket + ".ctl", "--remote=punix:" + socket, "-vconsole:info"}
	if c.address.IsValid() {
		arguments = append(arguments, fmt.Sprintf("--remote=ptcp:%d:%s", port, bracketed(c.address)))
	}
	return &Daemon{
		Name: name, machine: c.Machine, program: "ovsdb-server", arguments: append(arguments, file),
		ready: answers(c.Machine, socket+".ctl"),
	}
}

func bracketed(address netip.Addr) string {
	if address.Is4() {
		return address.String()
	}
	return "[" + address.String() + "]"
}

// Daemons of this OVN, in the order in which they start.
func (c *Central) Daemons() []*Daemon { return []*Daemon{c.Northbound, c.Southbound, c.Northd} }

// Stop ends all of them.
func (c *Central) Stop() error {
	var errs []error
	for _, daemon := range []*Daemon{c.Northd, c.Southbound, c.Northbound} {
		errs = append(errs, daemon.Stop())
	}
	return errors.Join(errs...)
}

// Address is where other machines reach the databases, not valid if nowhere.
func (c *Central) Address() netip.Addr { return c.address }

// NorthboundEndpoint is how clients on the machine, such as the agent, reach
// the Northbound database; Endpoints of other machines are over TCP.
func (c *Central) NorthboundEndpoint() string { return "unix:" + NorthboundSocket }

// RemoteNorthboundEndpoint is how clients on other machines reach it.
func (c *Central) RemoteNorthboundEndpoint() string { return c.remote(northboundPort) }

func (c *Central) remote(port int) string {
	return fmt.Sprintf("tcp:%s:%d", bracketed(c.address), port)
}

// southboundEndpoint is how a host's ovn-controller reaches the Southbound
// database.
func (c *Central) southboundEndpoint(from *machine.Machine) string {
	if from == c.Machine {
		return "unix:" + SouthboundSocket
	}
	return c.remote(southboundPort)
}

// NB runs one ovn-nbctl: a command, or several separated by "--", which are
// one transaction.
func (c *Central) NB(ctx context.Context, arguments ...string) (string, error) {
	return c.Machine.Run(ctx, "ovn-nbctl", append([]string{longest, "--db=unix:" + NorthboundSocket}, arguments...)...)
}

// SB runs one ovn-sbctl.
func (c *Central) SB(ctx context.Context, arguments ...string) (string, error) {
	return c.Machine.Run(ctx, "ovn-sbctl", append([]string{longest, "--db=unix:" + SouthboundSocket}, arguments...)...)
}

// Sync waits until every ovn-controller has done what the Northbound database
// says.
func (c *Central) Sync(ctx context.Context) error {
	_, err := c.NB(ctx, "--wait=hv", "sync")
	return err
}

// AddRemoteChassis tells a node's OVN of another node, where tunnels lead but
// whose databases are its own.
func (c *Central) AddRemoteChassis(ctx context.Context, id, hostname string, tunnel netip.Addr) error {
	_, err := c.SB(ctx, "--may-exist", "chassis-add", id, "geneve", tunnel.String(),
		"--", "set", "chassis", id, "hostname="+hostname, "other_config:is-remote=true")
	return err
}

// RemoveRemoteChassis undoes it.
func (c *Central) RemoveRemoteChassis(ctx context.Context, id string) error {
	_, err := c.SB(ctx, "--if-exists", "chassis-del", id)
	return err
}

// Dump is what a person wants to see of this OVN when something failed.
func (c *Central) Dump(ctx context.Context) map[string]string {
	out := map[string]string{}
	ask := func(name string, what func(context.Context, ...string) (string, error), arguments ...string) {
		answer, err := what(ctx, arguments...)
		if err != nil {
			answer = err.Error()
		}
		out[name] = answer
	}
	ask("nb-show", c.NB, "show")
	for _, table := range []string{"Logical_Router", "Logical_Router_Port", "Logical_Router_Static_Route", "Logical_Switch_Port", "NAT", "Address_Set"} {
		ask("nb-"+strings.ToLower(table), c.NB, "--format=table", "list", table)
	}
	ask("sb-show", c.SB, "show")
	ask("sb-port_binding", c.SB, "--format=table", "--columns=logical_port,type,chassis,requested_chassis,up,tunnel_key", "list", "Port_Binding")
	return out
}
