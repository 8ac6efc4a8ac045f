package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// cluster says which cluster and as whom, by kubeFlags, as for kubectl itself.
type cluster struct {
	kube      *genericclioptions.ConfigFlags
	kubeFlags *pflag.FlagSet
}

// addKubeFlags adds kubectl's own flags for reaching a cluster, but not those that
// have no meaning here: a plan covers all namespaces, and caches nothing.
func (c *cluster) addKubeFlags() {
	c.kube = genericclioptions.NewConfigFlags(true)
	c.kube.Namespace, c.kube.CacheDir = nil, nil
	c.kubeFlags = pflag.NewFlagSet("", pflag.ContinueOnError)
	c.kubeFlags.SortFlags = false
	c.kube.AddFlags(c.kubeFlags)
}

// namesCluster reports whether a flag says which cluster, or as whom to read it.
func (c *cluster) namesCluster() bool {
	named := false
	c.kubeFlags.VisitAll(func(f *pflag.Flag) { named = named || f.Changed })
	return named
}

// errNoCluster means that no kubeconfig says where the cluster is.
var errNoCluster = errors.New("there is no cluster to read: no kubeconfig names one")

// connect says where the cluster is, and which kinds are known of it.
func (c *cluster) connect() (*rest.Config, *runtime.Scheme, error) {
	config, err := c.kube.ToRESTConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, nil, errNoCluster
	}
	if err != nil {
		return nil, nil, fmt.Errorf("there is no cluster to read: %w", err)
	}
	scheme := runtime.NewScheme()
	return config, scheme, snapshot.AddToScheme(scheme)
}

func (o *options) readCluster(ctx context.Context) (*snapshot.Objects, error) {
	config, scheme, err := o.connect()
	if err != nil {
		return nil, fmt.Errorf("%w; to plan without one, use -f alone", err)
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("the cluster at %s can't be reached: %w", config.Host, err)
	}
	return o.gatherFrom(ctx, config, api)
}

func (o *options) gatherFrom(ctx context.Context, config *rest.Config, reader client.Reader) (*snapshot.Objects, error) {
	objects, err := snapshot.Gather(ctx, reader, snapshot.Options{WithoutNodeStates: true, WithoutAPIServer: true, WithAllocations: o.manageVTEPs})
	if err != nil {
		return nil, fmt.Errorf("the cluster at %s can't be read: %w", config.Host, err)
	}
	return objects, nil
}
