package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/nodenetworks"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vrfs"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vswitch"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program"
)

// options are the flags as they were given.
type options struct {
	kubeconfig string
	node       string
	once       bool
	timeout    time.Duration

	ovn                             []string
	certificate, privateKey, caCert string

	pods, services, join, masquerade, transit []string
	defaultNoOverlay                          bool
	gatewayInterface                          string
	knownNetworks                             string

	maxRoutes     int
	allowWithin   bool
	allowCovering bool
	anyLink       bool
	allowed       nodenetworks.Allowed
	ipv4ViaIPv6   string
	resync        time.Duration
	buffer        int

	observeOnly bool

	manageVRFs bool
	manageEVPN bool
	ovs        string
	tableStart uint32
	manageSNAT bool

	manageVTEPs bool

	metrics      program.Metrics
	probeAddress string
	logLevel     string
	logFormat    string
}

func defaults() options {
	return options{
		timeout: 2 * time.Minute,
		ovn:     []string{"unix:/var/run/ovn/ovnnb_db.sock"},
		// OVN-Kubernetes' own defaults; UDN join subnets are those of its
		// user-defined networks.
		join:         []string{"100.64.0.0/16", "fd98::/64", "100.65.0.0/16", "fd99::/64"},
		masquerade:   []string{"169.254.0.0/17", "fd69::/112"},
		transit:      []string{"100.88.0.0/16", "fd97::/64"},
		maxRoutes:    20000,
		ipv4ViaIPv6:  "auto",
		resync:       10 * time.Minute,
		buffer:       32 << 20,
		tableStart:   vrfs.DefaultTableStart,
		ovs:          vswitch.DefaultEndpoint,
		metrics:      program.Metrics{Address: ":8082", Secure: true},
		probeAddress: ":8083",
		logLevel:     "info",
		logFormat:    "json",
	}
}

func newCommand(o *options) *cobra.Command {
	command := &cobra.Command{
		Use:   "agent",
		Short: "Import the node's BGP routes into OVN",
		Long: `The agent runs on every node. It watches the BGP routes that FRR installs in the
kernel's VRFs, and writes them as static routes to the OVN gateway router of each
VRF's network. The node's NodeNetworks object, which the manager writes, says which
networks there are. The node's NodeRouteState object reports what the agent did, what
it could not do, and why.

Of static routes, it touches only those that it wrote itself. It changes nothing in the
kernel but what --manage-vrfs, --manage-vteps and --manage-evpn are for, and touches no
device there that it did not make.`,
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
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w (see --help)", err) })
	command.SetVersionTemplate("{{.Version}}\n")
	o.addTo(command.PersistentFlags())
	command.Flags().BoolVar(&o.once, "once", o.once, "import once, report what could not be done, and exit")
	command.AddCommand(&cobra.Command{
		Use:   "routes",
		Short: "List the node's BGP routes in the kernel and in OVN, and why any are missing",
		Long: `Routes prints every BGP route of the node's networks with its next hops in the
kernel and in OVN, and the reason if they differ. It changes nothing, so it can
run while the agent does.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			return printRoutes(command.Context(), o, command.OutOrStdout(), command.ErrOrStderr())
		},
	}, newCleanupCommand(o), program.NewReferenceCommand())
	return command
}

func (o *options) addTo(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&o.node, "node", o.node, "this node's name (default $NODE_NAME)")
	f.StringSliceVar(&o.ovn, "ovn-nb", o.ovn, "the OVN Northbound database: unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT; if it is a cluster, list all its servers, because the agent needs the leader")
	f.StringVar(&o.certificate, "ovn-certificate", o.certificate, "file with the client certificate for ssl")
	f.StringVar(&o.privateKey, "ovn-private-key", o.privateKey, "file with the private key of --ovn-certificate")
	f.StringVar(&o.caCert, "ovn-ca-certificate", o.caCert, "file with the CA certificates that sign the server's certificate")

	f.StringSliceVar(&o.pods, "cluster-subnets", o.pods, "subnets of the default pod network, in addition to those that the manager knows; \"none\" if there are none to protect")
	f.StringSliceVar(&o.services, "service-subnets", o.services, "subnets of Services, in addition to those that the manager knows; \"none\" if there are none to protect")
	f.StringSliceVar(&o.join, "join-subnets", o.join, "subnets between OVN's routers")
	f.StringSliceVar(&o.masquerade, "masquerade-subnets", o.masquerade, "subnets that OVN-Kubernetes uses for masquerading")
	f.StringSliceVar(&o.transit, "transit-subnets", o.transit, "subnets of the transit switch between nodes")
	f.BoolVar(&o.defaultNoOverlay, "default-network-no-overlay", o.defaultNoOverlay, "the default pod network has no overlay, even if the manager doesn't know: import routes to its pods on other nodes")
	f.StringVar(&o.gatewayInterface, "gateway-interface", o.gatewayInterface, "link of the node's gateway (default: the one in OVN-Kubernetes' annotation of the node)")
	f.StringVar(&o.knownNetworks, "known-networks-file", o.knownNetworks, "file that keeps the node's NodeNetworks, in case the API server is unreachable when the agent starts; no file if empty")

	f.IntVar(&o.maxRoutes, "max-routes-per-vrf", o.maxRoutes, "maximum number of rows to import per network, one per route and next hop; 0 means no limit")
	f.BoolVar(&o.allowWithin, "allow-within-cluster-subnets", o.allowWithin, "import routes that lie within the cluster's subnets")
	f.BoolVar(&o.allowCovering, "allow-covering-cluster-subnets", o.allowCovering, "import routes that cover subnets of the cluster, such as default routes")
	f.BoolVar(&o.allowed.Martians, "allow-martians", o.allowed.Martians, "import routes to unroutable address space (RFC 6890): loopback, link-local, multicast, reserved, documentation")
	f.BoolVar(&o.allowed.NodeAddresses, "allow-node-addresses", o.allowed.NodeAddresses, "import routes to this node's addresses, and within the subnets of its links")
	f.BoolVar(&o.allowed.APIServer, "allow-api-server", o.allowed.APIServer, "import routes to the API server's addresses")
	f.BoolVar(&o.anyLink, "allow-any-link", o.anyLink, "import routes that leave by any link, not only by the network's gateway")
	f.StringVar(&o.ipv4ViaIPv6, "ipv4-via-ipv6", o.ipv4ViaIPv6, "import IPv4 routes with IPv6 next hops (RFC 8950): true, false, or auto, which is true for OVN 25.03 and newer")
	f.DurationVar(&o.resync, "resync-interval", o.resync, "how often to list the kernel's tables, to find changes without an event")
	f.IntVar(&o.buffer, "netlink-buffer", o.buffer, "size of the buffer for the kernel's events, in bytes")

	f.BoolVar(&o.observeOnly, "observe-only", o.observeOnly, "only read and report; write nothing to OVN or the kernel, whatever the flags below say")
	f.BoolVar(&o.manageVRFs, "manage-vrfs", o.manageVRFs, "create the VRF devices, rules and routes of primary networks, if OVN-Kubernetes does not")
	f.Uint32Var(&o.tableStart, "vrf-table-start", o.tableStart, "a new VRF's table is this number plus the index of the network's management port; use the same number as OVN-Kubernetes")
	f.BoolVar(&o.manageEVPN, "manage-evpn", o.manageEVPN, "make the devices of EVPN networks, the ports of their MAC-VRFs and the entries of the node's pods, where OVN-Kubernetes' node component does not")
	f.StringVar(&o.ovs, "ovs", o.ovs, "the node's Open vSwitch database, for --manage-evpn: unix:PATH")
	f.BoolVar(&o.manageSNAT, "manage-snat", o.manageSNAT, "limit SNAT of advertised networks to destinations that are nodes")

	f.BoolVar(&o.manageVTEPs, "manage-vteps", o.manageVTEPs, "put the addresses of VTEPs that the manager gave to the node on dummy devices")

	f.StringVar(&o.kubeconfig, "kubeconfig", o.kubeconfig, "path to a kubeconfig file (default $KUBECONFIG; in a pod, the pod's service account)")
	f.DurationVar(&o.timeout, "timeout", o.timeout, "how long --once and routes wait for the node's state to be known, and how long cleanup may take")
	o.metrics.AddTo(f)
	f.StringVar(&o.probeAddress, "health-probe-bind-address", o.probeAddress, "address that serves /healthz and /readyz; 0 disables it")
	f.StringVar(&o.logLevel, "log-level", o.logLevel, "debug, info, warn or error")
	f.StringVar(&o.logFormat, "log-format", o.logFormat, "json or text")
}

// validate finds mistakes that would otherwise show only later, or never.
func (o *options) validate() error {
	var problems []error
	complain := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.node == "" {
		complain("the node's name is unknown: set --node or $NODE_NAME")
	}
	if o.maxRoutes < 0 {
		complain("--max-routes-per-vrf is %d: it must be at least 0", o.maxRoutes)
	}
	if o.resync < time.Second {
		complain("--resync-interval is %s: it must be at least 1s", o.resync)
	}
	if o.tableStart < vrfs.MinTableStart || o.tableStart > vrfs.MaxTableStart {
		complain("--vrf-table-start is %d: it must be %d to %d", o.tableStart, vrfs.MinTableStart, vrfs.MaxTableStart)
	}
	if !strings.HasPrefix(o.ovs, "unix:/") {
		complain("--ovs is %q: it must be unix: and the absolute path of a socket", o.ovs)
	}
	if o.buffer < 1<<16 {
		complain("--netlink-buffer is %d: it must be at least 65536", o.buffer)
	}
	if o.once && o.manageEVPN && !o.observeOnly {
		complain("--once can't be used with --manage-evpn, because the hosts of a MAC-VRF come and go: leave one of them out")
	}
	if _, err := o.viaIPv6(); err != nil {
		problems = append(problems, err)
	}
	if _, err := o.networks(); err != nil {
		problems = append(problems, err)
	}
	if _, err := o.tls(); err != nil {
		problems = append(problems, err)
	}
	if err := o.metrics.Validate(); err != nil {
		problems = append(problems, err)
	}
	if _, err := program.Logger(o.logLevel, o.logFormat, nil); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func (o *options) viaIPv6() (*bool, error) {
	yes, no := true, false
	switch o.ipv4ViaIPv6 {
	case "auto":
		return nil, nil
	case "true":
		return &yes, nil
	case "false":
		return &no, nil
	default:
		return nil, fmt.Errorf("--ipv4-via-ipv6 %q: use auto, true or false", o.ipv4ViaIPv6)
	}
}

// networks are what the flags say about the node's networks.
func (o *options) networks() (nodenetworks.Settings, error) {
	out := nodenetworks.Settings{Node: o.node, GatewayInterface: o.gatewayInterface, DefaultNoOverlay: o.defaultNoOverlay, Allowed: o.allowed,
		PodsTold: len(o.pods) > 0, ServicesTold: len(o.services) > 0}
	var problems []error
	for _, list := range []struct {
		flag  string
		texts []string
		out   *[]netip.Prefix
	}{
		{"cluster-subnets", o.pods, &out.Pods}, {"service-subnets", o.services, &out.Services}, {"join-subnets", o.join, &out.Join},
		{"masquerade-subnets", o.masquerade, &out.Masquerade}, {"transit-subnets", o.transit, &out.Transit},
	} {
		for _, text := range list.texts {
			if text == "none" && len(list.texts) == 1 {
				continue
			}
			// OVN-Kubernetes appends the prefix length of nodes' subnets.
			if parts := strings.Split(text, "/"); len(parts) == 3 {
				text = parts[0] + "/" + parts[1]
			}
			prefix, err := netip.ParsePrefix(text)
			if err != nil {
				problems = append(problems, fmt.Errorf("--%s %q is not a subnet such as 10.244.0.0/16", list.flag, text))
				continue
			}
			*list.out = append(*list.out, prefix.Masked())
		}
	}
	return out, errors.Join(problems...)
}

// certificates returns a function that reads the certificates for each connection,
// nil if there are none.
func (o *options) certificates() func() (*tls.Config, error) {
	if o.certificate == "" && o.privateKey == "" && o.caCert == "" {
		return nil
	}
	return o.tls
}

// tls reads the certificates, if there are any.
func (o *options) tls() (*tls.Config, error) {
	if o.certificate == "" && o.privateKey == "" && o.caCert == "" {
		for _, endpoint := range o.ovn {
			if strings.HasPrefix(endpoint, "ssl:") {
				return nil, fmt.Errorf("--ovn-nb %s needs --ovn-certificate, --ovn-private-key and --ovn-ca-certificate", endpoint)
			}
		}
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(o.certificate, o.privateKey)
	if err != nil {
		return nil, fmt.Errorf("--ovn-certificate and --ovn-private-key: %w", err)
	}
	pem, err := os.ReadFile(o.caCert)
	if err != nil {
		return nil, fmt.Errorf("--ovn-ca-certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ovn-ca-certificate: there is no certificate in %s", o.caCert)
	}
	return ovnTLS(pair, roots), nil
}

func (o *options) settings() agent.Settings {
	via, _ := o.viaIPv6()
	return agent.Settings{
		MaxRoutes: o.maxRoutes, AllowWithin: o.allowWithin, AllowCovering: o.allowCovering, AnyLink: o.anyLink, IPv4ViaIPv6: via,
	}
}
