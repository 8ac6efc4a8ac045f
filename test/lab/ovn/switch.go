package ovn

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Datapath is what moves Open vSwitch's packets.
type Datapath string

const (
	// Kernel is the openvswitch module's.
	Kernel Datapath = "system"
	// Userspace is ovs-vswitchd's own, which needs nothing of the kernel but
	// is slow.
	Userspace Datapath = "netdev"
)

// AvailableDatapath is the kernel's where it has all of one.
func AvailableDatapath() Datapath {
	if kernel := machine.ThisKernel(); kernel.OpenVSwitch && kernel.Geneve {
		return Kernel
	}
	return Userspace
}

const (
	controllerControl = "/run/ovn/controller.ctl"
	vswitchdControl   = "/run/openvswitch/vswitchd.ctl"
)

// Switch is Open vSwitch and ovn-controller on a node.
type Switch struct {
	Machine    *machine.Machine
	Database   *Daemon
	Vswitchd   *Daemon
	Controller *Daemon
	Datapath   Datapath
	config     SwitchConfig
}

// SwitchConfig is what OVN has to know of a node.
type SwitchConfig struct {
	// ChassisID identifies the node to OVN, Tunnel is where others' tunnels to
	// it end. The address must be on the bridge once there are tunnels.
	ChassisID string
	Tunnel    netip.Addr
	// Central that the node is part of.
	Central *Central
	// Interconnect is set where other nodes have OVNs of their own.
	Interconnect bool
	// Mappings are bridges by the physical network that they lead to.
	Mappings map[string]string
	// Datapath; empty for AvailableDatapath.
	Datapath Datapath
}

// StartSwitch starts Open vSwitch and ovn-controller.
func StartSwitch(ctx context.Context, m *machine.Machine, config SwitchConfig) (*Switch, error) {
	if config.Datapath == "" {
		config.Datapath = AvailableDatapath()
	}
	s := &Switch{Machine: m, Datapath: config.Datapath, config: config}
	s.Database = &Daemon{
		Name: "openvswitch-db", machine: m, program: "ovsdb-server",
		arguments: []string{
			"--no-chdir", "--remote=punix:/run/openvswitch/db.sock", "--unixctl=/run/openvswitch/db.ctl", "-vconsole:info",
			"/etc/openvswitch/conf.db",
		},
		ready: answers(m, "/run/openvswitch/db.ctl"),
	}
	s.Vswitchd = &Daemon{
		Name: "ovs-vswitchd", machine: m, program: "ovs-vswitchd",
		arguments: []string{"--no-chdir", "--unixctl=" + vswitchdControl, "-vconsole:info", "unix:/run/openvswitch/db.sock"},
		ready:     answers(m, vswitchdControl),
	}
	if config.Datapath == Userspace {
		s.Vswitchd.arguments = append([]string{"--disable-system"}, s.Vswitchd.arguments...)
	}
	s.Controller = &Daemon{
		Name: "ovn-controller", machine: m, program: "ovn-controller",
		arguments: []string{"--no-chdir", "--unixctl=" + controllerControl, "-vconsole:info", "unix:/run/openvswitch/db.sock"},
		ready:     answers(m, controllerControl),
	}
	_, err := m.Run(ctx, "ovsdb-tool", "create", "/etc/openvswitch/conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
	if err != nil {
		return s, err
	}
	if err := s.Database.Start(ctx); err != nil {
		return s, err
	}
	if _, err := s.VS(ctx, append([]string{"--no-wait", "init", "--"}, s.settings()...)...); err != nil {
		return s, err
	}
	if err := s.Vswitchd.Start(ctx); err != nil {
		return s, err
	}
	// ovn-controller would make it with ports to come; ours may come first.
	_, err = s.VS(ctx, "add-br", IntegrationBridge, "--", "set", "bridge", IntegrationBridge,
		"datapath_type="+string(s.Datapath), "fail-mode=secure", "other-config:disable-in-band=true")
	if err != nil {
		return s, err
	}
	return s, s.Controller.Start(ctx)
}

// settings are those that ovn-controller reads.
func (s *Switch) settings() []string {
	var mappings []string
	for network, bridge := range s.config.Mappings {
		mappings = append(mappings, network+":"+bridge)
	}
	ids := map[string]string{
		"system-id":                s.config.ChassisID,
		"hostname":                 s.Machine.Name,
		"ovn-remote":               s.config.Central.southboundEndpoint(s.Machine),
		"ovn-encap-type":           "geneve",
		"ovn-encap-ip":             s.config.Tunnel.String(),
		"ovn-bridge-mappings":      strings.Join(mappings, ","),
		"ovn-bridge-datapath-type": string(s.Datapath),
		"ovn-monitor-all":          "true",
		"ovn-is-interconn":         strconv.FormatBool(s.config.Interconnect),
	}
	out := []string{"set", "open_vswitch", "."}
	for key, value := range ids {
		out = append(out, fmt.Sprintf("external_ids:%s=%q", key, value))
	}
	return out
}

// VS runs one ovs-vsctl.
func (s *Switch) VS(ctx context.Context, arguments ...string) (string, error) {
	return s.Machine.Run(ctx, "ovs-vsctl", append([]string{longest}, arguments...)...)
}

// ReplaceFlows makes a bridge's flows exactly these, in one transaction. Ports
// are named by their names.
func (s *Switch) ReplaceFlows(ctx context.Context, bridge string, flows []string) error {
	command := s.Machine.Command(ctx, "ovs-ofctl", longest, "--bundle", "--names", "-OOpenFlow14", "replace-flows", bridge, "-")
	command.Stdin = strings.NewReader(strings.Join(flows, "\n") + "\n")
	_, err := command.Output()
	return err
}

// Flows are a bridge's flows.
func (s *Switch) Flows(ctx context.Context, bridge string) (string, error) {
	return s.Machine.Run(ctx, "ovs-ofctl", longest, "--names", "--no-stats", "-OOpenFlow14", "dump-flows", bridge)
}

// Daemons of the node, in the order in which they start.
func (s *Switch) Daemons() []*Daemon { return []*Daemon{s.Database, s.Vswitchd, s.Controller} }

// Stop ends them all. Bridges of the kernel's datapath stay until their
// network namespace goes.
func (s *Switch) Stop() error {
	var errs []error
	for _, daemon := range []*Daemon{s.Controller, s.Vswitchd, s.Database} {
		errs = append(errs, daemon.Stop())
	}
	return errors.Join(errs...)
}

// Dump is what a person wants to see of the node's part when something failed.
func (s *Switch) Dump(ctx context.Context) map[string]string {
	out := map[string]string{}
	ask := func(name, program string, arguments ...string) {
		answer, err := s.Machine.Run(ctx, program, arguments...)
		if err != nil {
			answer = err.Error()
		}
		out[name] = answer
	}
	ask("ovs-show", "ovs-vsctl", "--timeout=5", "show")
	for _, bridge := range s.config.Mappings {
		ask("flows-"+bridge, "ovs-ofctl", "--timeout=5", "--names", "-OOpenFlow14", "dump-flows", bridge)
	}
	ask("datapath-flows", "ovs-appctl", "--timeout=5", "-t", vswitchdControl, "dpctl/dump-flows", "--names")
	ask("conntrack", "ovs-appctl", "--timeout=5", "-t", vswitchdControl, "dpctl/dump-conntrack")
	return out
}
