package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program"
)

// options are the flags as they were given.
type options struct {
	kubeconfig      string
	kubeAPIQPS      float32
	kubeAPIBurst    int
	metrics         program.Metrics
	webhook         webhookOptions
	namespace       string
	probeAddress    string
	shutdownTimeout time.Duration

	leaderElect             bool
	leaderElectionNamespace string
	leaderElectionID        string
	leaseDuration           time.Duration
	renewDeadline           time.Duration
	retryPeriod             time.Duration

	observeOnly       bool
	takeOver          bool
	frrRaw            bool
	manageVTEPs       bool
	managedASN        uint32
	managedNamespace  string
	defaultNetworkNAD string
	defaultNoOverlay  []string
	clusterSubnets    []string
	serviceSubnets    []string
	workers           int

	logLevel  string
	logFormat string
}

// helpWidth is how wide the help of the flags may be.
const helpWidth = 110

func defaults() options {
	return options{
		kubeAPIQPS:        -1,
		metrics:           program.Metrics{Address: ":8443", Secure: true},
		webhook:           webhookOptions{enabled: true, port: 9443, name: "ovn-bgp-operator-webhook"},
		probeAddress:      ":8081",
		shutdownTimeout:   15 * time.Second,
		leaderElectionID:  "ovn-bgp-operator",
		leaseDuration:     15 * time.Second,
		renewDeadline:     10 * time.Second,
		retryPeriod:       2 * time.Second,
		managedASN:        64512,
		managedNamespace:  "frr-k8s-system",
		defaultNetworkNAD: "ovn-kubernetes/default",
		workers:           8,
		logLevel:          "info",
		logFormat:         "json",
	}
}

func newCommand(o *options) *cobra.Command {
	command := &cobra.Command{
		Use:   "manager",
		Short: "Turn RouteAdvertisements into one FRRConfiguration per node",
		Long: `The manager watches RouteAdvertisements, ClusterUserDefinedNetworks, EgressIPs,
Namespaces, Nodes and FRRConfigurations. It writes one FRRConfiguration for each
node, and the node's frr-k8s configures FRR with it. The conditions of each
RouteAdvertisements report what the manager did, what it could not do, and why.

It uses the cluster in --kubeconfig or $KUBECONFIG or, in a pod, the pod's own
cluster. Run two or three managers with --leader-elect: one is active, the others
keep their caches warm. "manager cleanup" removes what they wrote.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       program.Version(),
		RunE: func(command *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return start(command.Context(), o, command.ErrOrStderr())
		},
	}
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return fmt.Errorf("%w (see --help)", err)
	})
	command.SetVersionTemplate("{{.Version}}\n")
	o.addTo(command.Flags())
	command.AddCommand(newCleanupCommand(o), program.NewReferenceCommand())
	command.SetUsageFunc(func(command *cobra.Command) error {
		_, err := fmt.Fprintf(command.OutOrStderr(), "Usage:\n  %s\n\nFlags:\n%s",
			command.UseLine(), command.Flags().FlagUsagesWrapped(helpWidth))
		return err
	})
	return command
}

func (o *options) addTo(f *pflag.FlagSet) {
	f.SortFlags = false

	f.BoolVar(&o.observeOnly, "observe-only", o.observeOnly,
		"only plan, and write nothing but the condition Rendered, which says what would be done. "+
			"With --take-over it shows what taking over would do")
	f.BoolVar(&o.takeOver, "take-over", o.takeOver,
		"also plan RouteAdvertisements that OVN-Kubernetes' own controller works on. "+
			"If false, the operator stands aside for them and says so in their conditions. "+
			"Switch that controller off before you set this, or both will write")
	f.BoolVar(&o.manageVTEPs, "manage-vteps", o.manageVTEPs,
		"give nodes the addresses of VTEPs: those with mode Managed, unless OVN-Kubernetes keeps the cluster's VTEPs, "+
			"and those with mode Unmanaged that have the annotation ovnbgp.io/allocate: \"true\". "+
			"Agents with the flag of this name put them on a device")
	f.BoolVar(&o.frrRaw, "frr-raw", o.frrRaw,
		"hand FRR what frr-k8s' API has no fields for, such as a RoutePolicy's med and prepend, in spec.raw of the generated FRRConfigurations. "+
			"frr-k8s supports that field no further than to append it to FRR's configuration")
	f.Uint32Var(&o.managedASN, "managed-asn", o.managedASN,
		"AS number of the sessions between nodes for NoOverlay networks with routing: Managed")
	f.StringVar(&o.managedNamespace, "managed-namespace", o.managedNamespace,
		"namespace of frr-k8s; the FRRConfigurations for Managed routing are written there")
	f.StringVar(&o.defaultNetworkNAD, "default-network-nad", o.defaultNetworkNAD,
		"NAMESPACE/NAME of the NetworkAttachmentDefinition of the default pod network; "+
			"it is annotated if it exists")
	f.StringSliceVar(&o.defaultNoOverlay, "default-network-no-overlay-subnets", o.defaultNoOverlay,
		"subnets of the default pod network, as in OVN-Kubernetes' --cluster-subnets (10.244.0.0/16/24), if it has no overlay; "+
			"nodes then receive each other's subnets")
	f.StringSliceVar(&o.clusterSubnets, "cluster-subnets", o.clusterSubnets,
		"subnets of the default pod network, as in OVN-Kubernetes' --cluster-subnets (10.244.0.0/16/24); a subnet outside of them "+
			"that a node's annotation claims is not advertised (default: only subnets that other nodes claim, too, are not advertised)")
	f.StringSliceVar(&o.serviceSubnets, "service-subnets", o.serviceSubnets,
		"subnets of Services beside the cluster's ServiceCIDRs; prefixes that overlap them are not advertised")
	f.IntVar(&o.workers, "workers", o.workers, "how many nodes to reconcile at once")

	f.StringVar(&o.kubeconfig, "kubeconfig", o.kubeconfig,
		"path to a kubeconfig file (default $KUBECONFIG; in a pod, the pod's service account)")
	f.Float32Var(&o.kubeAPIQPS, "kube-api-qps", o.kubeAPIQPS,
		"maximum number of requests per second to the API server; if negative, only the server's own "+
			"priority and fairness limits them")
	f.IntVar(&o.kubeAPIBurst, "kube-api-burst", o.kubeAPIBurst,
		"maximum burst of requests above --kube-api-qps (default twice --kube-api-qps)")

	f.BoolVar(&o.leaderElect, "leader-elect", o.leaderElect,
		"be active only while holding a lease, so that several managers can run")
	f.StringVar(&o.leaderElectionNamespace, "leader-election-namespace", o.leaderElectionNamespace,
		"namespace of the lease (default $POD_NAMESPACE; in a pod, the pod's own)")
	f.StringVar(&o.leaderElectionID, "leader-election-id", o.leaderElectionID, "name of the lease")
	f.DurationVar(&o.leaseDuration, "leader-election-lease-duration", o.leaseDuration,
		"how long the others wait after the leader's last renewal before they take its lease")
	f.DurationVar(&o.renewDeadline, "leader-election-renew-deadline", o.renewDeadline,
		"how long the leader tries to renew its lease before it gives up and exits")
	f.DurationVar(&o.retryPeriod, "leader-election-retry-period", o.retryPeriod,
		"time between two attempts to acquire or renew the lease")

	f.StringVar(&o.namespace, "namespace", o.namespace,
		"the operator's own namespace (default $POD_NAMESPACE)")
	o.webhook.addTo(f)
	o.metrics.AddTo(f)
	f.StringVar(&o.probeAddress, "health-probe-bind-address", o.probeAddress,
		"address that serves /healthz and /readyz; 0 disables it")
	f.DurationVar(&o.shutdownTimeout, "shutdown-timeout", o.shutdownTimeout,
		"on shutdown, how long to wait for writes in progress")

	f.StringVar(&o.logLevel, "log-level", o.logLevel, "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", o.logFormat, "json or text")
}

// validate finds mistakes that would otherwise show only later, or never.
func (o *options) validate() error {
	var problems []error
	complain := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf(format, args...))
	}
	if o.managedASN == 0 || o.managedASN == math.MaxUint32 {
		complain("--managed-asn %d is reserved (RFC 7607, RFC 7300): use a private AS number, 64512 to 65534 or 4200000000 to 4294967294", o.managedASN)
	}
	if o.managedNamespace == "" {
		complain("--managed-namespace is empty: name the namespace that frr-k8s runs in")
	}
	if o.workers < 1 {
		complain("--workers is %d: it must be at least 1", o.workers)
	}
	if _, err := o.defaultNAD(); err != nil {
		problems = append(problems, err)
	}
	if _, err := ovnk.ParseClusterSubnets(o.defaultNoOverlay); err != nil {
		complain("--default-network-no-overlay-subnets: %w", err)
	}
	if _, err := ovnk.ParseClusterSubnets(o.clusterSubnets); err != nil {
		complain("--cluster-subnets: %w", err)
	}
	if _, err := ovnk.ParseServiceSubnets(o.serviceSubnets); err != nil {
		complain("--service-subnets: %w", err)
	}
	if o.leaderElect && (o.leaseDuration <= o.renewDeadline || o.renewDeadline <= o.retryPeriod || o.retryPeriod <= 0) {
		complain("leader election needs lease duration (%s) > renew deadline (%s) > retry period (%s) > 0",
			o.leaseDuration, o.renewDeadline, o.retryPeriod)
	}
	for _, err := range []error{o.metrics.Validate(), o.webhook.validate()} {
		if err != nil {
			problems = append(problems, err)
		}
	}
	if _, err := program.Logger(o.logLevel, o.logFormat, nil); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func (o *options) defaultNAD() (types.NamespacedName, error) {
	namespace, name, found := strings.Cut(o.defaultNetworkNAD, "/")
	if !found || namespace == "" || name == "" || strings.Contains(name, "/") {
		return types.NamespacedName{}, fmt.Errorf("--default-network-nad %q is not of the form NAMESPACE/NAME", o.defaultNetworkNAD)
	}
	return types.NamespacedName{Namespace: namespace, Name: name}, nil
}

// controllers converts the flags to the controllers' options.
func (o *options) controllers() (controller.Options, error) {
	defaultNAD, err := o.defaultNAD()
	if err != nil {
		return controller.Options{}, err
	}
	noOverlay, err := ovnk.ParseClusterSubnets(o.defaultNoOverlay)
	if err != nil {
		return controller.Options{}, err
	}
	clusterSubnets, err := ovnk.ParseClusterSubnets(o.clusterSubnets)
	if err != nil {
		return controller.Options{}, err
	}
	serviceSubnets, err := ovnk.ParseServiceSubnets(o.serviceSubnets)
	if err != nil {
		return controller.Options{}, err
	}
	return controller.Options{
		Settings: model.Settings{
			TakeOver:         o.takeOver,
			FRRRaw:           o.frrRaw,
			ManageVTEPs:      o.manageVTEPs,
			Managed:          model.ManagedRouting{ASN: o.managedASN, Namespace: o.managedNamespace},
			DefaultNoOverlay: noOverlay,
			ClusterSubnets:   clusterSubnets,
			ServiceSubnets:   serviceSubnets,
		},
		DefaultNAD:  defaultNAD,
		ObserveOnly: o.observeOnly,
		Workers:     o.workers,
	}, nil
}
