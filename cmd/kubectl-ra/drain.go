package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/printable"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

func newDrainCommand() *cobra.Command {
	d := drain{now: time.Now}
	command := &cobra.Command{
		Use:   "drain NODE",
		Short: "Cordon a node and wait until traffic has moved away from it",
		Long: `Cordon a node, as kubectl cordon does, and wait until the DrainPolicy that counts
for the node has moved traffic away from it: until FRR announces the node's routes
marked for graceful shutdown, and the time has passed that routers need. Run
kubectl drain then, to move the pods.

The command fails, and leaves the node as it is, if no DrainPolicy counts for the
node or if that policy's when.cordon is false. If it is interrupted, or fails later,
the node stays cordoned.

It needs the rights to get and patch the node, and to list and watch
DrainPolicies.

Exit codes: 0 traffic has had the time to move; 1 wrong usage, the cluster can't be
reached, no DrainPolicy counts, or FRR doesn't have the routes in time.`,
		Example: `  kubectl ra drain worker-1 && kubectl drain worker-1 --ignore-daemonsets
  # ... and when the work is done:
  kubectl ra undrain worker-1`,
		Args: oneNode,
		RunE: func(command *cobra.Command, args []string) error {
			d.out, d.settleGiven = command.OutOrStdout(), command.Flags().Changed("settle")
			return d.run(command.Context(), args[0], d.drain)
		},
	}
	command.Flags().DurationVar(&d.settle, "settle", 0,
		"how long to wait once FRR has the routes marked (default: withdrawAfterSeconds of the policy)")
	d.addTo(command)
	return command
}

func newUndrainCommand() *cobra.Command {
	d := drain{now: time.Now}
	command := &cobra.Command{
		Use:   "undrain NODE",
		Short: "Uncordon a node and wait until its routes are as before",
		Long: `Uncordon a node, as kubectl uncordon does, and wait until no DrainPolicy lists it
as draining, which takes half a minute.

It needs the rights to get and patch the node, and to list and watch
DrainPolicies.

Exit codes: 0 the node drains no longer; 1 wrong usage, the cluster can't be
reached, or something else than the cordon has the node drain.`,
		Example: "  kubectl ra undrain worker-1",
		Args:    oneNode,
		RunE: func(command *cobra.Command, args []string) error {
			d.out = command.OutOrStdout()
			return d.run(command.Context(), args[0], d.undrain)
		},
	}
	d.addTo(command)
	return command
}

func oneNode(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one node (see --help)")
	}
	return nil
}

// drain drains a node, or has it back.
type drain struct {
	cluster
	timeout, settle time.Duration
	settleGiven     bool

	api client.WithWatch
	out io.Writer
	now func() time.Time
}

func (d *drain) addTo(command *cobra.Command) {
	f := command.Flags()
	f.SortFlags = false
	f.DurationVar(&d.timeout, "timeout", 5*time.Minute, "how long to wait for the operator and FRR at most")
	d.addKubeFlags()
	f.AddFlagSet(d.kubeFlags)
}

func (d *drain) run(ctx context.Context, node string, do func(context.Context, *corev1.Node, []model.DrainPolicy) error) error {
	config, scheme, err := d.connect()
	if err != nil {
		return err
	}
	if d.api, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("the cluster at %s can't be reached: %w", config.Host, err)
	}
	var object corev1.Node
	if err := d.api.Get(ctx, client.ObjectKey{Name: node}, &object); err != nil {
		return fmt.Errorf("node %q can't be read: %w", node, err)
	}
	var list v1alpha1.DrainPolicyList
	if err := d.api.List(ctx, &list); err != nil && !meta.IsNoMatchError(err) {
		return fmt.Errorf("DrainPolicies can't be read: %w", err)
	}
	return do(ctx, &object, snapshot.DrainPolicies(list.Items))
}

func (d *drain) drain(ctx context.Context, n *corev1.Node, policies []model.DrainPolicy) error {
	host := snapshot.Host(n)
	policy := model.DrainPolicyOf(policies, &host)
	switch {
	case policy == nil:
		return fmt.Errorf("no DrainPolicy counts for node %q, so a cordon would move no traffic: create one whose nodeSelector matches the node", n.Name)
	case !policy.When.Cordon:
		return fmt.Errorf("DrainPolicy %q counts for node %q, and has when.cordon: false, so a cordon would move no traffic: set it to true", policy.Name, n.Name)
	}
	if !d.settleGiven {
		d.settle = policy.WithdrawAfter
	}
	d.say("node %s drains by DrainPolicy %s: %s", n.Name, policy.Name, willHappen(policy))
	if err := d.cordon(ctx, n, true); err != nil {
		return err
	}
	w := &drained{drain: d, node: n.Name, policy: policy}
	if err := d.follow(ctx, w.look); err != nil {
		return err
	}
	d.say("node %s has drained: kubectl drain can follow", n.Name)
	return nil
}

// willHappen says what a policy does to the routes of a node.
func willHappen(p *model.DrainPolicy) string {
	var parts []string
	if p.GracefulShutdown {
		parts = append(parts, "its routes get the community graceful-shutdown (65535:0), and local preference 0 for neighbors of the same AS")
	}
	what := map[model.Withdrawal]string{
		model.WithdrawShared: "it withdraws subnets that other nodes advertise, too", model.WithdrawEverything: "it withdraws all of its routes",
	}[p.Withdraw]
	if what != "" {
		parts = append(parts, fmt.Sprintf("after %s %s", p.WithdrawAfter, what))
	}
	return strings.Join(parts, "; ")
}

func (d *drain) undrain(ctx context.Context, n *corev1.Node, policies []model.DrainPolicy) error {
	if err := d.cordon(ctx, n, false); err != nil {
		return err
	}
	host := snapshot.Host(n)
	if policy := model.DrainPolicyOf(policies, &host); policy != nil {
		if others := policy.When.Hold(&host.Maintenance); len(others) > 0 {
			return fmt.Errorf("node %q is uncordoned, and drains on by DrainPolicy %q because of its %s: remove that, too", n.Name, policy.Name, strings.Join(others, ", "))
		}
	}
	if len(policies) > 0 {
		w := &returned{drain: d, node: n.Name}
		if err := d.follow(ctx, w.look); err != nil {
			return err
		}
	}
	d.say("node %s drains no longer", n.Name)
	return nil
}

// cordon makes the node unschedulable or schedulable, by the user's rights.
func (d *drain) cordon(ctx context.Context, n *corev1.Node, yes bool) error {
	word := map[bool]string{true: "cordoned", false: "uncordoned"}[yes]
	if n.Spec.Unschedulable == yes {
		d.say("node %s was %s before", n.Name, word)
		return nil
	}
	patch := client.RawPatch(types.StrategicMergePatchType, fmt.Appendf(nil, `{"spec":{"unschedulable":%t}}`, yes))
	if err := d.api.Patch(ctx, n, patch, client.FieldOwner("kubectl-ra")); err != nil {
		return fmt.Errorf("node %q can't be %s: %w", n.Name, word, err)
	}
	d.say("node %s is %s", n.Name, word)
	return nil
}

// say prints a line of progress.
func (d *drain) say(format string, args ...any) {
	_, _ = fmt.Fprintln(d.out, printable.Line(fmt.Sprintf(format, args...)))
}
