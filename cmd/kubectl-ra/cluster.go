package main

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

func (o *options) readCluster(ctx context.Context) (*snapshot.Objects, error) {
	config, err := o.kube.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("there is no cluster to read: %w; to plan without one, use -f alone", named(err))
	}
	reader, err := connect(config)
	if err != nil {
		return nil, err
	}
	return o.gatherFrom(ctx, config, reader)
}

// named says what is wrong with an empty kubeconfig.
func named(err error) error {
	if clientcmd.IsEmptyConfig(err) {
		return errors.New("no kubeconfig names one")
	}
	return err
}

func connect(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := snapshot.AddToScheme(scheme); err != nil {
		return nil, err
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("the cluster at %s can't be reached: %w", config.Host, err)
	}
	return api, nil
}

func (o *options) gatherFrom(ctx context.Context, config *rest.Config, reader client.Reader) (*snapshot.Objects, error) {
	objects, err := snapshot.Gather(ctx, reader, snapshot.Options{WithoutNodeStates: true, WithoutAPIServer: true, WithAllocations: o.manageVTEPs})
	if err != nil {
		return nil, fmt.Errorf("the cluster at %s can't be read: %w", config.Host, err)
	}
	return objects, nil
}
