package cni

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

// Follow carries networks as advertised, as long as their definitions name
// RouteAdvertisements that advertise pods and are accepted as they are now. It
// returns when the context ends, or when the API server can't be watched for a
// minute.
//
// It takes nothing for granted that OVN-Kubernetes would check, so that a
// manager that writes the wrong annotation or condition is found out. One of
// the RouteAdvertisements that isn't there, or isn't accepted, holds up all of
// the network: it stays as it was.
func (c *Cluster) Follow(ctx context.Context, api client.WithWatch) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := make(chan struct{}, 1)
	ended := make(chan error, 2)
	for _, list := range []client.ObjectList{&nadv1.NetworkAttachmentDefinitionList{}, &ovnv1.RouteAdvertisementsList{}} {
		go func() { ended <- forward(ctx, api, list, changed) }()
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			if ctx.Err() != nil {
				return nil
			}
			return err
		case <-changed:
		}
		if err := c.adopt(ctx, api); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// forward says that something may have happened, not what: that is looked up. An
// API server ends each watch some time, and all of them when it restarts.
func forward(ctx context.Context, api client.WithWatch, list client.ObjectList, changed chan<- struct{}) error {
	for {
		var events watch.Interface
		var failed error
		// The context that the function gets ends when it is done, and would end the watch.
		if err := wait.PollUntilContextTimeout(ctx, time.Second, time.Minute, true, func(context.Context) (bool, error) {
			events, failed = api.Watch(ctx, list)
			return failed == nil, nil
		}); err != nil {
			return errors.Join(err, failed)
		}
		poke(changed)
		for range events.ResultChan() {
			poke(changed)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func poke(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

func (c *Cluster) adopt(ctx context.Context, api client.Client) error {
	var definitions nadv1.NetworkAttachmentDefinitionList
	if err := api.List(ctx, &definitions); err != nil {
		return err
	}
	var list ovnv1.RouteAdvertisementsList
	if err := api.List(ctx, &list); err != nil {
		return err
	}
	advertisements := map[string]*ovnv1.RouteAdvertisements{}
	for i := range list.Items {
		advertisements[list.Items[i].Name] = &list.Items[i]
	}
	named := map[string][]string{}
	for i := range definitions.Items {
		network, names, err := namedBy(&definitions.Items[i])
		if err != nil {
			return err
		}
		named[network] = append(named[network], names...)
	}
	for _, network := range c.names() {
		how, settled := carriedBy(named[network], advertisements)
		if !settled {
			continue
		}
		// A network that was removed meanwhile has nothing to carry any more.
		if err := c.SetAdvertised(ctx, network, how); err != nil && slices.Contains(c.names(), network) {
			return err
		}
	}
	return nil
}

// namedBy returns a definition's network and the RouteAdvertisements that it names.
func namedBy(definition *nadv1.NetworkAttachmentDefinition) (network string, names []string, err error) {
	if value := definition.Annotations[routeAdvertisementsKey]; value != "" {
		if err := json.Unmarshal([]byte(value), &names); err != nil {
			return "", nil, fmt.Errorf("annotation %s of %s/%s is %q: %w", routeAdvertisementsKey, definition.Namespace, definition.Name, value, err)
		}
	}
	if definition.Namespace == ovnKubernetesNamespace && definition.Name == defaultDefinition {
		return Default, names, nil
	}
	return definition.Annotations[networkNameKey], names, nil
}

// carriedBy tells how the named RouteAdvertisements have a network carried;
// settled is false where one of them is gone or not accepted as it is now.
func carriedBy(names []string, advertisements map[string]*ovnv1.RouteAdvertisements) (how Advertisement, settled bool) {
	for _, name := range names {
		ra := advertisements[name]
		switch {
		case ra == nil || !acceptedAsItIs(ra):
			return NotAdvertised, false
		case !slices.Contains(ra.Spec.Advertisements, ovnv1.AdvertisePodNetwork):
		case ra.Spec.TargetVRF == "" || ra.Spec.TargetVRF == ovnv1.TargetVRFDefault:
			how = OverDefaultVRF
		case how == NotAdvertised:
			how = OverOwnVRF
		}
	}
	return how, true
}

func (c *Cluster) names() []string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var out []string
	for _, n := range c.networks {
		out = append(out, n.Name)
	}
	return out
}

func acceptedAsItIs(ra *ovnv1.RouteAdvertisements) bool {
	condition := meta.FindStatusCondition(ra.Status.Conditions, "Accepted")
	return condition != nil && condition.Status == "True" && condition.ObservedGeneration == ra.Generation
}
