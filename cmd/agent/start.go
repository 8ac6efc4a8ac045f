package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/lastknown"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/nodenetworks"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/report"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program"
)

// parts are what makes an agent, put together.
type parts struct {
	log     logr.Logger
	agent   *agent.Agent
	watcher *nodenetworks.Watcher
	writer  *report.Writer
	config  *rest.Config
	// devices is set with --manage-vrfs.
	devices *devices
	tunnels *tunnels
	// endpoints only look without --manage-vteps.
	endpoints *endpoints
}

// apply hands the networks on.
func (p *parts) apply(networks []agent.Network, complete bool) {
	// VRF devices of networks that are not named would be removed.
	if p.devices != nil && complete {
		p.devices.apply(networks)
	}
	p.tunnels.apply(networks, complete)
	p.agent.Apply(networks, complete)
}

func assemble(o *options, logs io.Writer, readOnly bool) (*parts, error) {
	log, err := program.Logger(o.logLevel, o.logFormat, logs)
	if err != nil {
		return nil, err
	}
	ctrllog.SetLogger(log)
	klog.SetLogger(log.WithName("client-go"))
	settings, err := o.networks()
	if err != nil {
		return nil, err
	}
	p := &parts{log: log}
	if p.config, err = restConfig(o.kubeconfig); err != nil {
		return nil, err
	}
	p.writer = &report.Writer{Node: o.node, Namespace: "default", Log: log}
	p.writer.Init()
	p.agent = agent.New(agent.Options{
		Settings: o.settings(),
		Kernel:   kernel.Options{Log: log.WithName("kernel"), Buffer: o.buffer, Interval: o.resync},
		OVN:      ovnnb.Options{Endpoints: o.ovn, TLS: o.certificates(), Node: o.node, Log: log.WithName("ovn")},
		Log:      log, Registry: ctrlmetrics.Registry, ReadOnly: readOnly, ManageSNAT: o.manageSNAT, Changed: p.writer.Changed,
	})
	p.writer.States, p.writer.Layer2 = p.agent.States, p.agent.Layer2
	if o.manageVRFs && !readOnly {
		p.devices = newDevices(log.WithName("vrfs"), o.tableStart, ctrlmetrics.Registry, p.writer.Changed)
		p.writer.VRFs = p.devices.found
	}
	p.tunnels = newTunnels(log.WithName("evpn"), ctrlmetrics.Registry, p.writer.Changed)
	if o.manageEVPN && !readOnly {
		p.tunnels.manage(log.WithName("evpn"), o.ovs, ovnnb.Options{Endpoints: o.ovn, TLS: o.certificates(), Node: o.node, Log: log.WithName("macvrf")})
	}
	p.writer.EVPN = p.tunnels.found
	p.endpoints = newEndpoints(log.WithName("vteps"), o.withoutVTEPs(readOnly), ctrlmetrics.Registry, p.writer.Changed)
	p.writer.VTEPs = p.endpoints.found
	settings.APIServer = addressOf(p.config)
	p.watcher = &nodenetworks.Watcher{
		Config: p.config, Settings: settings, Log: log.WithName("networks"), Apply: p.apply, Given: p.endpoints.apply, Changed: p.writer.Changed,
	}
	p.writer.Networks = p.watcher.State
	return p, nil
}

// start runs the agent until ctx ends, or with --once until it has imported.
func start(ctx context.Context, o *options, logs io.Writer) error {
	p, err := assemble(o, logs, o.observeOnly)
	if err != nil {
		return err
	}
	scheme, err := report.NewScheme()
	if err != nil {
		return err
	}
	if p.writer.Client, err = client.New(p.config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("cannot reach the cluster at %s: %w", p.config.Host, err)
	}
	metrics, err := p.serveMetrics(&o.metrics)
	if err != nil {
		return err
	}
	p.watcher.Patient = !o.once
	if o.knownNetworks != "" && !o.once {
		p.watcher.Known = &lastknown.File{Path: o.knownNetworks, Node: o.node, Kind: nodenetworks.KnownKind}
	}
	p.log.Info("Starting", "version", program.Version(), "node", o.node, "northbound", strings.Join(o.ovn, ","))
	if o.once {
		return p.once(ctx, o.timeout)
	}
	return p.together(ctx,
		p.agent.Run, p.watcher.Run, p.writer.Run, p.devices.run, p.tunnels.run, p.endpoints.run,
		metrics,
		serve(o.probeAddress, map[string]http.Handler{"/healthz": healthy(nil), "/readyz": healthy(p.ready)}))
}

// ready says why the agent is not working yet.
func (p *parts) ready() error {
	if err := p.agent.Health(); err != nil {
		return err
	}
	if _, known := p.agent.Unsettled(); !known {
		return errors.New(cmp.Or(p.watcher.State().Trouble(), "the node's networks are not known yet"))
	}
	return nil
}

// together runs parts until ctx ends or one of them fails.
func (p *parts) together(ctx context.Context, parts ...func(context.Context) error) error {
	group, running := errgroup.WithContext(ctx)
	for _, part := range parts {
		group.Go(func() error {
			if err := part(running); running.Err() == nil {
				return err
			}
			// It ended because it had to.
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("stopped: %w", err)
	}
	p.log.Info("Stopped as asked; what was imported stays")
	return nil
}

// settle runs the agent until every network is done with, and then does last.
func (p *parts) settle(ctx context.Context, patience time.Duration, last func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var failure error
	err := p.together(ctx, p.agent.Run, p.watcher.Run, p.devices.run, p.endpoints.run, func(ctx context.Context) error {
		defer cancel()
		for {
			names, known := p.agent.Unsettled()
			names = append(append(names, p.devices.unsettled(p.agent.States())...), p.endpoints.unsettled()...)
			if known && len(names) == 0 {
				failure = last(ctx)
				return nil
			}
			select {
			case <-ctx.Done():
				if !known {
					failure = errors.Join(fmt.Errorf("not known within %s what networks the node has", patience), p.ready())
				} else {
					failure = fmt.Errorf("not done within %s: %s", patience, strings.Join(names, ", "))
				}
				return nil
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return errors.Join(failure, err)
}

func (p *parts) once(ctx context.Context, patience time.Duration) error {
	return p.settle(ctx, patience, func(ctx context.Context) error {
		if err := p.writer.Write(ctx); err != nil {
			p.log.Info("Could not write the NodeRouteState", "cause", err.Error())
		}
		var problems []error
		for _, s := range p.agent.States() {
			p.log.Info("Imported", "network", s.Network, "learned", s.Learned, "imported", s.Imported, "reason", s.Reason)
			if s.Reason != agent.ReasonSynced && s.Reason != agent.ReasonObserveOnly || s.Held > 0 {
				problems = append(problems, fmt.Errorf("network %s: %s", s.Network, s.Message))
			}
		}
		return errors.Join(slices.Concat(problems, p.devices.problems(), p.endpoints.problems())...)
	})
}

// serveMetrics returns the part that serves metrics.
func (p *parts) serveMetrics(o *program.Metrics) (func(context.Context) error, error) {
	ctrlmetrics.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	requests, err := rest.HTTPClientFor(p.config)
	if err != nil {
		return nil, err
	}
	server, err := metricsserver.NewServer(o.Server(), p.config, requests)
	if err != nil {
		return nil, fmt.Errorf("cannot serve metrics: %w", err)
	}
	if server == nil {
		return func(context.Context) error { return nil }, nil
	}
	return server.Start, nil
}

// serve returns a part that serves HTTP; "0" serves nothing.
func serve(address string, handlers map[string]http.Handler) func(context.Context) error {
	return func(ctx context.Context) error {
		if address == "0" || address == "" {
			return nil
		}
		mux := http.NewServeMux()
		for path, handler := range handlers {
			mux.Handle(path, handler)
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("cannot listen: %w", err)
		}
		server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
		context.AfterFunc(ctx, func() { _ = server.Close() })
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
}

func healthy(check func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if check != nil {
			if err := check(); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		_, _ = io.WriteString(w, "ok\n")
	})
}

// addressOf is the address that the API server is reached at, none if that is a name.
func addressOf(config *rest.Config) []netip.Addr {
	if at, err := url.Parse(config.Host); err == nil {
		if address, err := netip.ParseAddr(at.Hostname()); err == nil {
			return []netip.Addr{address}
		}
	}
	return nil
}

// restConfig finds the cluster.
func restConfig(path string) (*rest.Config, error) {
	var config *rest.Config
	var err error
	if path == "" {
		if config, err = rest.InClusterConfig(); err != nil {
			return nil, fmt.Errorf("not running in a pod, and neither --kubeconfig nor $KUBECONFIG is set: %w", err)
		}
	} else {
		config, err = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{Precedence: filepath.SplitList(path)}, nil).ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("cannot use kubeconfig %s: %w", path, err)
		}
	}
	config.UserAgent = "ovn-bgp-operator/agent"
	config.QPS = -1
	return config, nil
}
