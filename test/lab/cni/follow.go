package cni

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

// Follow carries networks as advertised, as long as their definitions name
// RouteAdvertisements that advertise pods and are accepted as they are now. It
// returns when the context ends, or when the API server can't be watched.
//
// It takes nothing for granted that OVN-Kubernetes would check, so that a
// manager that writes the wrong annotation or condition is found out.
func (c *Cluster) Follow(ctx context.Context, api client.WithWatch) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changed := make(chan struct{}, 1)
	ended := make(chan error, 2)
	for _, list := range []client.ObjectList{&nadv1.NetworkAttachmentDefinitionList{}, &ovnv1.RouteAdvertisementsList{}} {
		events, err := api.Watch(ctx, list)
		if err != nil {
			return err
		}
		go func() { ended <- forward(events, changed) }()
	}
	for {
		if err := c.adopt(ctx, api); err != nil && ctx.Err() == nil {
			return err
		}
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
	}
}

// forward says that something has happened, not what: that is looked up.
func forward(events watch.Interface, changed chan<- struct{}) error {
	defer events.Stop()
	for range events.ResultChan() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	return errors.New("the API server ended a watch")
}

func (c *Cluster) adopt(ctx context.Context, api client.Client) error {
	var definitions nadv1.NetworkAttachmentDefinitionList
	if err := api.List(ctx, &definitions); err != nil {
		return err
	}
	var advertisements ovnv1.RouteAdvertisementsList
	if err := api.List(ctx, &advertisements); err != nil {
		return err
	}
	carrying := map[string]*ovnv1.RouteAdvertisements{}
	for i := range advertisements.Items {
		if ra := &advertisements.Items[i]; advertisesPods(ra) && acceptedAsItIs(ra) {
			carrying[ra.Name] = ra
		}
	}
	wanted := map[string]Advertisement{}
	for i := range definitions.Items {
		definition := &definitions.Items[i]
		var names []string
		if value := definition.Annotations[routeAdvertisementsKey]; value != "" {
			if err := json.Unmarshal([]byte(value), &names); err != nil {
				return fmt.Errorf("annotation %s of %s/%s is %q: %w", routeAdvertisementsKey, definition.Namespace, definition.Name, value, err)
			}
		}
		network := definition.Annotations[networkNameKey]
		if definition.Namespace == ovnKubernetesNamespace && definition.Name == defaultDefinition {
			network = Default
		}
		for _, name := range names {
			switch ra := carrying[name]; {
			case ra == nil:
			case ra.Spec.TargetVRF == "" || ra.Spec.TargetVRF == ovnv1.TargetVRFDefault:
				wanted[network] = OverDefaultVRF
			case wanted[network] == NotAdvertised:
				wanted[network] = OverOwnVRF
			}
		}
	}
	for _, network := range c.names() {
		if err := c.SetAdvertised(ctx, network, wanted[network]); err != nil {
			return err
		}
	}
	return nil
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

func advertisesPods(ra *ovnv1.RouteAdvertisements) bool {
	for _, what := range ra.Spec.Advertisements {
		if what == ovnv1.AdvertisePodNetwork {
			return true
		}
	}
	return false
}

func acceptedAsItIs(ra *ovnv1.RouteAdvertisements) bool {
	condition := meta.FindStatusCondition(ra.Status.Conditions, "Accepted")
	return condition != nil && condition.Status == "True" && condition.ObservedGeneration == ra.Generation
}
