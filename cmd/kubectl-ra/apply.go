package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/resource"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/inplace"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/preview"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// applyOptions are the flags of apply.
type applyOptions struct {
	options
	within time.Duration
	force  bool
}

func newApplyCommand() *cobra.Command {
	var o applyOptions
	command := &cobra.Command{
		Use:   "apply -f FILE|DIR|-...",
		Short: "Apply changed templates, also where frr-k8s refuses them from kubectl apply",
		Long: `Apply FRRConfigurations that exist, as kubectl apply does, also where kubectl apply
fails: frr-k8s' webhook refuses to change a session's settings (timers, password,
BFD profile, ...) in a template as long as generated objects carry the old ones.

Such a template is changed together with them, and no prefix is withdrawn: frr-k8s
leaves FRR as it is on the template's nodes until the template and all generated
objects agree, and then has FRR take the result at once. If they don't agree in
time, or the command is interrupted, the old template is put back.

What a session does with new settings is FRR's business. New timers count from its
next start on; a new password, source address or ebgpMultiHop resets it.

Before such a change the cluster is planned with the new templates. If something
that is advertised now would be left out, nothing is changed.

You need the right to get, create, update and delete FRRConfigurations, and to
list what kubectl ra plan reads.

Exit codes: 0 applied; 1 wrong usage, unreadable input, or not applied.`,
		Example: `  # Change the timers of the sessions with the ToR switches.
  kubectl ra apply -f tor-sessions.yaml`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			o.stdin, o.stdout, o.stderr = command.InOrStdin(), command.OutOrStdout(), command.ErrOrStderr()
			if len(o.files) == 0 {
				return errors.New("-f is missing: name the files with the templates (see --help)")
			}
			if err := o.validateSettings(); err != nil {
				return err
			}
			return o.run(command.Context())
		},
	}
	f := command.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&o.files, "filename", "f", nil, "file, directory (with everything below it) or - for stdin, with FRRConfigurations; may be repeated")
	f.DurationVar(&o.within, "timeout", time.Minute, "how long to wait until the generated objects agree, before the change is undone")
	f.BoolVar(&o.force, "force", false, "also change a template if something that is advertised now would be left out")
	o.addSettingsTo(f)
	o.addKubeFlags()
	f.AddFlagSet(o.kubeFlags)
	must(command.MarkFlagFilename("filename", "yaml", "yml", "json"))
	return command
}

func (o *applyOptions) run(ctx context.Context) error {
	config, scheme, err := o.connect()
	if err != nil {
		return err
	}
	templates, err := o.readTemplates()
	if err != nil {
		return err
	}
	config.WarningHandler = rest.NewWarningWriter(o.stderr, rest.WarningWriterOptions{Deduplicate: true})
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("the cluster at %s can't be reached: %w", config.Host, err)
	}
	changer := inplace.Changer{Client: client.WithFieldValidation(api, "Strict"), Now: time.Now, Within: o.within}
	if !o.force {
		changer.Check = func(ctx context.Context, wanted []*unstructured.Unstructured) error {
			return o.check(ctx, config, api, wanted)
		}
	}
	undoing.Store(true)
	defer undoing.Store(false)
	outcomes, err := changer.Run(ctx, templates)
	if err != nil {
		return err
	}
	for i, t := range templates {
		_, _ = fmt.Fprintf(o.stdout, "frrconfiguration.frrk8s.metallb.io/%s %s\n", t.GetName(), map[inplace.Outcome]string{
			inplace.Unchanged: "unchanged", inplace.Configured: "configured", inplace.InPlace: "configured in place",
		}[outcomes[i]])
	}
	return nil
}

// readTemplates reads files as kubectl does.
func (o *applyOptions) readTemplates() ([]*unstructured.Unstructured, error) {
	namespace, _, err := o.kube.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig's namespace can't be told: %w", err)
	}
	builder := resource.NewLocalBuilder().Unstructured().ContinueOnError().Flatten()
	paths := slices.DeleteFunc(slices.Clone(o.files), func(path string) bool { return path == "-" })
	if len(paths) > 0 {
		builder = builder.Path(true, paths...)
	}
	switch len(o.files) - len(paths) {
	case 0:
	case 1:
		builder = builder.Stream(o.stdin, "stdin")
	default:
		return nil, errors.New("stdin (-) can be read only once")
	}
	infos, err := builder.Do().Infos()
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, info := range infos {
		object, ok := info.Object.(*unstructured.Unstructured)
		if !ok || object.GroupVersionKind().GroupKind() != frrk8sv1beta1.GroupVersion.WithKind("FRRConfiguration").GroupKind() {
			return nil, fmt.Errorf("%s: %s %s is no FRRConfiguration: apply it with kubectl apply",
				info.Source, info.Object.GetObjectKind().GroupVersionKind().Kind, info.Name)
		}
		if object.GetNamespace() == "" {
			object.SetNamespace(namespace)
		}
		if snapshot.IsGenerated(object) {
			return nil, fmt.Errorf("%s: FRRConfiguration %s is generated: change the template or the RouteAdvertisements instead", info.Source, object.GetName())
		}
		out = append(out, object)
	}
	return out, nil
}

// check plans with the cluster as it is and as it would be.
func (o *applyOptions) check(ctx context.Context, config *rest.Config, api client.Reader, wanted []*unstructured.Unstructured) error {
	objects, err := o.gatherFrom(ctx, config, api)
	if err != nil {
		return fmt.Errorf("%w; to change the template without looking at what would become of it, add --force", err)
	}
	before := preview.New(objects, o.settings())
	for _, w := range wanted {
		var changed frrk8sv1beta1.FRRConfiguration
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(w.Object, &changed); err != nil {
			return err
		}
		at := slices.IndexFunc(objects.FRRConfigurations, func(c frrk8sv1beta1.FRRConfiguration) bool {
			return client.ObjectKeyFromObject(&c) == client.ObjectKeyFromObject(&changed)
		})
		if at < 0 {
			return fmt.Errorf("FRRConfiguration %s is gone", client.ObjectKeyFromObject(&changed))
		}
		changed.CreationTimestamp = objects.FRRConfigurations[at].CreationTimestamp
		objects.FRRConfigurations[at] = changed
	}
	if lost := preview.New(objects, o.settings()).BlockedSince(before); len(lost) > 0 {
		return fmt.Errorf("nothing was changed, because something that is advertised now would be left out (--force does it all the same):\n%s", strings.Join(lost, "\n"))
	}
	return nil
}
