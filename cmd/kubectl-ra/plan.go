package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/manifest"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/preview"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/printable"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

func newPlanCommand() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "plan [-f FILE|DIR|-]...",
		Short: "Show what the operator would generate from RouteAdvertisements, for each node",
		Long: `Show the FRRConfigurations that the operator would write for each node, the
status that each RouteAdvertisements object, RoutePolicy and DrainPolicy would
get, and the findings: what is wrong, and how to fix it. The operator itself plans
in the same way. Plan writes nothing anywhere.

Which objects it plans with:
  without -f              those of the current cluster
  -f                      only those of the files; no cluster is needed
  -f with --live          those of the live cluster, with the files on top as if
                          they had been applied; kubectl's own flags for
                          reaching a cluster (--context, --as, ...) imply --live

Files are validated as the API server would (defaults, schemas and CEL rules),
and every problem is reported with its file and line. The files should have all
objects that matter: RouteAdvertisements, RoutePolicies, DrainPolicies,
FRRConfigurations, ClusterUserDefinedNetworks, EgressIPs, VTEPs, Nodes with
OVN-Kubernetes' annotations, Namespaces, NetworkAttachmentDefinitions and
UplinkStates. To check the type and keys of the Secrets with neighbors'
passwords, add these, too; they are never read from a cluster, and never printed.
Other kinds are skipped.

What -o diff compares the plan with:
  with a cluster          what the operator has written there
  --from                  the generated FRRConfigurations in those files or, if
                          there are none, the plan for those files
  -f alone                the generated FRRConfigurations among the files, as
                          in a dump of a cluster

Output depends on the input alone: the same objects give the same bytes. Tables
show no passwords, and diffs mask them; yaml and json have them as the templates
do, because they are meant to be applied. No output has times, or the condition
FRRConfigured, which nodes report only after the configuration was applied.

Exit codes: 0 everything is fine; 1 wrong usage, unreadable input, or the cluster
can't be read; 2 something is left out of the plan because of a finding.`,
		Example: `  # What would these samples advertise? No cluster needed.
  kubectl ra plan -f config/samples/cluster -f config/samples/default-import-export

  # The objects themselves, for one node.
  kubectl ra plan -f config/samples/cluster -f config/samples/vrf-lite --node worker-1 -o yaml

  # What should the current cluster advertise?
  kubectl ra plan

  # What would applying a file change there?
  kubectl ra plan -f config/samples/egress-ip --live -o diff

  # What would a change to the files change?
  kubectl ra plan -o diff --from config/samples/cluster --from config/samples/default-import-export \
    -f config/samples/cluster -f config/samples/cudn-leak-and-export

  # Plan a dump of a cluster somewhere else.
  kubectl get ra,cudn,eip,nodes,ns,frrconfigurations -A -o yaml | kubectl ra plan -f -`,
		// "-f *.yaml" reaches the program as one file for -f and the rest as
		// arguments.
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && len(o.files) == 0 {
				return fmt.Errorf("unexpected argument %q: put -f before files (see --help)", strings.Join(args, " "))
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			o.files = append(o.files, args...)
			o.stdin, o.stdout, o.stderr = command.InOrStdin(), command.OutOrStdout(), command.ErrOrStderr()
			if err := o.validate(); err != nil {
				return err
			}
			return o.run(command.Context())
		},
	}
	o.addTo(command.Flags())
	completeFlags(command, &o)
	return command
}

// inputs are the objects that a run looks at.
type inputs struct {
	// planned are the objects to plan with, and live those that exist now. Without a
	// cluster both are the objects of the files.
	planned, live *snapshot.Objects
	// from are the objects to compare with, nil without --from.
	from *snapshot.Objects
}

func (o *options) run(ctx context.Context) error {
	in, err := o.gather(ctx)
	if err != nil {
		return err
	}
	planned := preview.New(in.planned, o.settings())
	if unknown := planned.Only(o.nodes); len(unknown) > 0 {
		return fmt.Errorf("there is no node %s", strings.Join(unknown, ", "))
	}
	// Thousands of nodes are millions of lines.
	out := bufio.NewWriter(o.stdout)
	if err := errors.Join(o.print(out, planned, in), out.Flush()); err != nil {
		return err
	}
	if !planned.Blocked() {
		return nil
	}
	return errBlocked
}

func (o *options) gather(ctx context.Context) (*inputs, error) {
	files, err := o.load(o.files)
	from, fromErr := o.load(o.from)
	if err := errors.Join(err, fromErr); err != nil {
		return nil, err
	}
	var in inputs
	if len(o.from) > 0 {
		in.from = from.Objects()
	}
	if !o.usesCluster() {
		in.planned = files.Objects()
		in.live = in.planned
		return &in, nil
	}
	if in.live, err = o.readCluster(ctx); err != nil {
		return nil, err
	}
	in.planned, err = files.Overlay(in.live)
	return &in, err
}

func (o *options) load(paths []string) (*manifest.Set, error) {
	set, err := manifest.Load(paths, o.stdin)
	for _, note := range set.Notes() {
		_, _ = fmt.Fprintf(o.stderr, "Note: %s\n", printable.Line(note))
	}
	return set, err
}

func (o *options) print(out io.Writer, planned *preview.Preview, in *inputs) error {
	switch o.output {
	case outputYAML:
		return o.withFindings(planned, planned.YAML(out))
	case outputJSON:
		return o.withFindings(planned, planned.JSON(out))
	case outputDiff:
		before, err := o.before(planned, in)
		if err != nil {
			return err
		}
		return o.withFindings(planned, preview.Diff(out, before, planned.Side("plan")))
	default:
		return planned.Table(out)
	}
}

// withFindings prints on stderr what must not be in output for machines.
func (o *options) withFindings(planned *preview.Preview, err error) error {
	if err != nil {
		return err
	}
	return planned.Findings(o.stderr)
}

// before is what -o diff compares the plan with.
func (o *options) before(planned *preview.Preview, in *inputs) (preview.Side, error) {
	if in.from == nil {
		side, found := planned.Live("live", in.live, o.nodes)
		if !found && !o.usesCluster() {
			return side, errors.New("there is nothing to compare with, because the files have no generated FRRConfigurations; " +
				"set the other side with --from, or use --live")
		}
		return side, nil
	}
	if side, found := planned.Live("from", in.from, o.nodes); found {
		return side, nil
	}
	other := preview.New(in.from, o.settings())
	// A node may exist in the plan only, or in --from only.
	other.Only(o.nodes)
	return other.Side("from"), nil
}
