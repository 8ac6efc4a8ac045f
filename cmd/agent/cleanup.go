package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vteps"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program"
)

func newCleanupCommand(o *options) *cobra.Command {
	dryRun, stay, routeImport := false, false, false
	command := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove everything that this node's agents wrote, after they are gone",
		Long: `Cleanup removes what agents wrote on this node: the static routes on its OVN
gateway routers, the limits of their SNAT, the VRF devices, ip rules and unreachable
default routes that --manage-vrfs created in the kernel, the devices that --manage-evpn
made, and the dummy devices of --manage-vteps. What others wrote stays. Cleanup prints
what it removed.

The agent must not run meanwhile, because it would restore everything. Cleanup
needs no API server, and no flags but --node and those for the database. Without
cleanup, imported routes stay after the agent is gone.

With --route-import it removes none of that, but the static routes that
OVN-Kubernetes' own route import left on this node's gateway routers when it was
switched off. The agent may run meanwhile; it imports as soon as they are gone. If
route import is still on, its routes are missing until it writes them again.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			clean := o.cleanUp
			if routeImport {
				clean = o.cleanUpRouteImport
			}
			err := clean(command.Context(), dryRun, command.OutOrStdout(), command.ErrOrStderr())
			if stay && err == nil {
				<-command.Context().Done()
			}
			return err
		},
	}
	command.Flags().BoolVar(&dryRun, "dry-run", dryRun, "only print what would be removed")
	command.Flags().BoolVar(&stay, "stay", stay, "when done, wait until stopped, as pods of a DaemonSet must")
	command.Flags().BoolVar(&routeImport, "route-import", routeImport, "remove only the routes that OVN-Kubernetes' own route import left on this node's gateway routers; switch it off first")
	return command
}

// cleanUp continues after failures, so that it leaves as little as possible.
func (o *options) cleanUp(ctx context.Context, dryRun bool, out, logs io.Writer) error {
	if o.node == "" {
		return errors.New("the node's name is unknown: set --node or $NODE_NAME")
	}
	log, err := program.Logger(o.logLevel, o.logFormat, logs)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	written, inOVN := ovnnb.Remove(ctx, ovnnb.Options{Endpoints: o.ovn, TLS: o.certificates(), Node: o.node, Log: log.WithName("ovn")}, dryRun)
	joined, ofSwitches := o.leaveSwitches(ctx, log.WithName("macvrf"), dryRun)
	// VLAN devices are in the VRFs, and tunnels end at the dummies' addresses.
	tunnels, ofTunnels := o.removeTunnels(ctx, log, dryRun)
	vrfChanges, inKernel := removeDevices(&vrfs.Keeper{Log: log.V(1)}, dryRun)
	dummies, ofVTEPs := removeEndpoints(&vteps.Keeper{Log: log.V(1)}, dryRun)
	return errors.Join(inOVN, ofSwitches, ofTunnels, inKernel, ofVTEPs,
		tellRemoved(out, o.node, &written, joined, slices.Concat(texts(tunnels), texts(vrfChanges), texts(dummies)), dryRun))
}

// cleanUpRouteImport removes what OVN-Kubernetes' own route import left.
func (o *options) cleanUpRouteImport(ctx context.Context, dryRun bool, out, logs io.Writer) error {
	if o.node == "" {
		return errors.New("the node's name is unknown: set --node or $NODE_NAME")
	}
	log, err := program.Logger(o.logLevel, o.logFormat, logs)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	rows, err := ovnnb.RemoveRouteImport(ctx, ovnnb.Options{Endpoints: o.ovn, TLS: o.certificates(), Node: o.node, Log: log.WithName("ovn")}, dryRun)
	if err != nil {
		return err
	}
	removed := "removed"
	if dryRun {
		removed = "would remove"
	}
	for _, router := range slices.Sorted(maps.Keys(rows)) {
		if _, err := fmt.Fprintf(out, "OVN: %s %d static routes of route import on router %s\n", removed, rows[router], router); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		_, err = fmt.Fprintf(out, "no route of route import is left on node %s\n", o.node)
	}
	return err
}

// removeDevices removes the VRF devices of all networks.
func removeDevices(keeper *vrfs.Keeper, dryRun bool) ([]vrfs.Change, error) {
	if !dryRun {
		report, err := keeper.Sync(nil)
		return report.Changes, err
	}
	observed, err := vrfs.Observe(keeper.Namespace)
	if err != nil {
		return nil, err
	}
	changes, _ := vrfs.Plan(nil, observed, vrfs.DefaultTableStart)
	return changes, nil
}

// leaveSwitches takes the ports of MAC-VRFs off OVN's switches, and returns how many there
// were.
func (o *options) leaveSwitches(ctx context.Context, log logr.Logger, dryRun bool) (int, error) {
	options := ovnnb.Options{Endpoints: o.ovn, TLS: o.certificates(), Node: o.node, Log: log.V(1)}
	return ovnnb.NewMACVRFs(options, func() string { return "" }, func() {}).Leave(ctx, dryRun)
}

// removeTunnels removes the EVPN devices of all networks, and the ports of Open vSwitch. A
// node on which no Open vSwitch runs has none.
func (o *options) removeTunnels(ctx context.Context, log logr.Logger, dryRun bool) ([]evpn.Change, error) {
	keeper := &evpn.Keeper{Log: log.V(1), Node: o.node}
	if _, err := os.Stat(strings.TrimPrefix(o.ovs, "unix:")); err == nil {
		connected := make(chan struct{}, 1)
		ports := vswitch.New(vswitch.Options{Endpoint: o.ovs, Log: log.V(1), Changed: func() {
			select {
			case connected <- struct{}{}:
			default:
			}
		}})
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() { _ = ports.Run(running) }()
		select {
		case <-connected:
			keeper.Switch = ports
		case <-ctx.Done():
			return nil, errors.New("the ports of Open vSwitch were not looked at, because its database does not answer: start Open vSwitch, and clean up again")
		}
	}
	if !dryRun {
		report, err := keeper.Sync(ctx, nil, nil)
		return report.Changes, err
	}
	observed, err := keeper.Observe(ctx, nil)
	if err != nil {
		return nil, err
	}
	changes, _ := evpn.Plan(nil, nil, observed, keeper.Node)
	return changes, nil
}

func texts[Change fmt.Stringer](changes []Change) []string {
	out := make([]string, 0, len(changes))
	for _, c := range changes {
		out = append(out, c.String())
	}
	return out
}

func tellRemoved(out io.Writer, node string, written *ovnnb.Written, joined int, changes []string, dryRun bool) error {
	removed, restored, would := "removed", "restored", ""
	if dryRun {
		removed, restored, would = "would remove", "would restore", "would "
	}
	var err error
	tell := func(format string, args ...any) {
		if _, failed := fmt.Fprintf(out, format, args...); failed != nil {
			err = failed
		}
	}
	for _, router := range slices.Sorted(maps.Keys(written.Routes)) {
		name := router
		if name == "" {
			name = "(unknown)"
		}
		tell("OVN: %s %d static routes on router %s\n", removed, written.Routes[router], name)
	}
	for _, router := range slices.Sorted(maps.Keys(written.SNAT)) {
		tell("OVN: %s %d SNAT rows on router %s\n", restored, written.SNAT[router], router)
	}
	if joined > 0 {
		tell("OVN: %s %d ports of MAC-VRFs\n", removed, joined)
	}
	for _, c := range changes {
		tell("kernel: %s%s\n", would, c)
	}
	if len(written.Routes)+len(written.SNAT)+joined+len(changes) == 0 {
		tell("nothing of the agents is left on node %s\n", node)
	}
	return err
}
