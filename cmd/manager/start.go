package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/metrics"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/program"
)

// The lease and the events about it are in the operator's own namespace. The
// operator may write them only there.
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=ovn-bgp-operator-system,resources=leases,verbs=create
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=ovn-bgp-operator-system,resources=leases,resourceNames=ovn-bgp-operator,verbs=get;update
// +kubebuilder:rbac:groups="",namespace=ovn-bgp-operator-system,resources=events,verbs=create

// start builds the manager and runs it until ctx ends.
func start(ctx context.Context, o *options, logs io.Writer) error {
	log, err := program.Logger(o.logLevel, o.logFormat, logs)
	if err != nil {
		return err
	}
	ctrl.SetLogger(log)
	klog.SetLogger(log.WithName("client-go"))

	config, err := restConfig(o)
	if err != nil {
		return err
	}
	figures := metrics.New(ctrlmetrics.Registry)
	config.Wrap(figures.CountWrites)

	controllerOptions, err := o.controllers()
	if err != nil {
		return err
	}
	controllerOptions.Metrics = figures

	manager, err := ctrl.NewManager(config, managerOptions(o))
	if err != nil {
		return fmt.Errorf("cannot set up the manager for the cluster at %s: %w", config.Host, err)
	}
	if controllerOptions.Reads, err = o.addWebhook(manager, config, controllerOptions.Settings); err != nil {
		return err
	}
	ready, err := controller.Setup(manager, controllerOptions)
	if err != nil {
		return err
	}
	if err := manager.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return err
	}
	if err := manager.AddReadyzCheck("planned", ready); err != nil {
		return err
	}
	log.Info("Starting", "version", program.Version(), "server", config.Host, "leaderElection", o.leaderElect)
	if err := manager.Start(ctx); err != nil {
		return fmt.Errorf("stopped: %w", err)
	}
	log.Info("Stopped as asked; what was applied stays")
	return nil
}

func managerOptions(o *options) ctrl.Options {
	return ctrl.Options{
		Scheme:                  controller.Scheme(),
		Cache:                   controller.CacheOptions(),
		Metrics:                 o.metrics.Server(),
		HealthProbeBindAddress:  o.probeAddress,
		GracefulShutdownTimeout: &o.shutdownTimeout,

		LeaderElection:          o.leaderElect,
		LeaderElectionNamespace: o.leaderElectionNamespace,
		LeaderElectionID:        o.leaderElectionID,
		LeaseDuration:           &o.leaseDuration,
		RenewDeadline:           &o.renewDeadline,
		RetryPeriod:             &o.retryPeriod,
		// The process ends right after the manager, so it can release the lease,
		// and the next leader need not wait until the lease expires.
		LeaderElectionReleaseOnCancel: true,
	}
}

// restConfig finds the cluster.
func restConfig(o *options) (*rest.Config, error) {
	config, err := loadConfig(o.kubeconfig)
	if err != nil {
		return nil, err
	}
	config.UserAgent = "ovn-bgp-operator/manager"
	config.QPS = o.kubeAPIQPS
	config.Burst = o.kubeAPIBurst
	if config.Burst == 0 && o.kubeAPIQPS > 0 {
		config.Burst = int(2 * o.kubeAPIQPS)
	}
	return config, nil
}

func loadConfig(path string) (*rest.Config, error) {
	if path == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("not running in a pod, and neither --kubeconfig nor $KUBECONFIG is set: %w", err)
		}
		return config, nil
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{Precedence: filepath.SplitList(path)}, nil)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("cannot use kubeconfig %s: %w", path, err)
	}
	return config, nil
}
