package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/cleanup"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program"
)

// cleanupOptions are the flags that only manager cleanup has.
type cleanupOptions struct {
	*options
	handBack      bool
	timeout, hold time.Duration
}

func newCleanupCommand(o *options) *cobra.Command {
	c := &cleanupOptions{options: o, timeout: 2 * time.Minute, hold: 10 * time.Minute}
	command := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove everything that managers wrote, before they are uninstalled",
		Long: `Cleanup removes what managers wrote into the cluster: generated FRRConfigurations
(their routes are withdrawn), the managed RouteAdvertisements, annotations and
conditions. What others wrote stays, and so do users' RouteAdvertisements,
networks and CRDs.

It takes the managers' lease and keeps it for a while, so that managers that
still run stand by and don't write everything again. Without cleanup, what was
applied stays advertised after the operator is gone.

With --hand-back it hands everything back to OVN-Kubernetes' own controller, which
must be running by then. No node advertises less at any moment.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := c.validate(); err != nil {
				return err
			}
			return c.run(command.Context(), command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	c.addTo(command.Flags())
	return command
}

func (c *cleanupOptions) addTo(f *pflag.FlagSet) {
	f.SortFlags = false
	f.BoolVar(&c.handBack, "hand-back", c.handBack,
		"remove a generated FRRConfiguration only after OVN-Kubernetes' own controller advertises everything that it did; "+
			"keep the condition Accepted and the networks' annotations for that controller")
	f.DurationVar(&c.timeout, "timeout", c.timeout, "how long to keep trying")
	f.DurationVar(&c.hold, "hold", c.hold, "how long managers that still run, or are started again, stand by afterwards")
	f.StringVar(&c.kubeconfig, "kubeconfig", c.kubeconfig,
		"path to a kubeconfig file (default $KUBECONFIG; in a pod, the pod's service account)")
	f.StringVar(&c.leaderElectionNamespace, "leader-election-namespace", c.leaderElectionNamespace,
		"namespace of the managers' lease (default $POD_NAMESPACE)")
	f.StringVar(&c.leaderElectionID, "leader-election-id", c.leaderElectionID, "name of the lease")
	f.StringVar(&c.logLevel, "log-level", c.logLevel, "debug, info, warn or error")
	f.StringVar(&c.logFormat, "log-format", c.logFormat, "json or text")
}

func (c *cleanupOptions) validate() error {
	var problems []error
	if c.leaderElectionNamespace == "" {
		problems = append(problems, errors.New("the namespace of the managers' lease is unknown: set --leader-election-namespace or $POD_NAMESPACE"))
	}
	if c.timeout <= 0 || c.hold <= 0 {
		problems = append(problems, fmt.Errorf("--timeout is %s and --hold is %s: both must be greater than 0", c.timeout, c.hold))
	}
	if _, err := program.Logger(c.logLevel, c.logFormat, nil); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// run retries until everything is gone, or the time is over.
func (c *cleanupOptions) run(ctx context.Context, out, logs io.Writer) error {
	log, err := program.Logger(c.logLevel, c.logFormat, logs)
	if err != nil {
		return err
	}
	ctrllog.SetLogger(log)
	config, err := restConfig(c.options)
	if err != nil {
		return err
	}
	scheme := controller.Scheme()
	if err := coordinationv1.AddToScheme(scheme); err != nil {
		return err
	}
	writer, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("cannot reach the cluster at %s: %w", config.Host, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	host, _ := os.Hostname()
	lease := &cleanup.Lease{
		NamespacedName: types.NamespacedName{Namespace: c.leaderElectionNamespace, Name: c.leaderElectionID},
		Identity:       "cleanup_" + host, Hold: c.hold, Now: time.Now,
	}
	var total cleanup.Removed
	for {
		err := lease.Take(ctx, writer)
		if err == nil {
			var removed cleanup.Removed
			removed, err = c.remove(ctx, writer)
			total.Add(removed)
		}
		if err == nil {
			text := total.String()
			if c.handBack {
				text = total.HandedBack()
			}
			_, err = fmt.Fprintln(out, text)
			return err
		}
		log.Info("Not everything could be removed; trying again", "cause", err.Error())
		select {
		case <-ctx.Done():
			return fmt.Errorf("not everything could be removed within %s: %w", c.timeout, err)
		case <-time.After(time.Second):
		}
	}
}

func (c *cleanupOptions) remove(ctx context.Context, writer client.Client) (cleanup.Removed, error) {
	if c.handBack {
		return cleanup.HandBack(ctx, writer)
	}
	return cleanup.Run(ctx, writer)
}
