package cni

import (
	"context"
	"maps"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Declare writes networks' definitions, by their namespaces, and has a node's OVN a
// gateway router of each, empty, by which an agent knows that a network is there. It is
// for more networks than an emulated node could have. Pods can't be on them.
func (c *Cluster) Declare(ctx context.Context, api client.Client, on string, networks map[string]Network) error {
	s := &script{}
	for _, namespace := range slices.Sorted(maps.Keys(networks)) {
		n := networks[namespace]
		if err := n.check(); err != nil {
			return err
		}
		s.add("lr-add", n.gatewayRouter(on))
		s.set("logical_router", n.gatewayRouter(on), columns{"external_ids": n.identityWithRole()})
		definition := n.attachment(namespace)
		if err := own(ctx, api, definition); err != nil {
			return err
		}
		if err := api.Create(ctx, definition); err != nil {
			return err
		}
	}
	_, err := c.Central(on).NB(ctx, s.arguments()...)
	return err
}

// Retract undoes it. What is gone already is no error.
func (c *Cluster) Retract(ctx context.Context, api client.Client, on string, networks map[string]Network) error {
	s := &script{}
	for _, namespace := range slices.Sorted(maps.Keys(networks)) {
		n := networks[namespace]
		s.add("--if-exists", "lr-del", n.gatewayRouter(on))
		if err := client.IgnoreNotFound(api.Delete(ctx, n.attachment(namespace))); err != nil {
			return err
		}
	}
	_, err := c.Central(on).NB(ctx, s.arguments()...)
	return err
}
