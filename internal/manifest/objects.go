package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"time"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// Objects sorts the set's objects into the lists that a snapshot is made of.
func (s *Set) Objects() *snapshot.Objects {
	out, err := s.Overlay(&snapshot.Objects{})
	if err != nil {
		// Without live objects there is nothing to merge that could fail.
		panic(err)
	}
	return out
}

// Overlay returns the live objects as they would be after the set was applied.
func (s *Set) Overlay(live *snapshot.Objects) (*snapshot.Objects, error) {
	o := overlay{created: afterAll(live)}
	for i := range s.Items {
		o.take(s.Items[i].Object)
	}
	return &snapshot.Objects{
		Read:                live.Read,
		RouteAdvertisements: merged(&o, live.RouteAdvertisements, o.files.RouteAdvertisements),
		Policies:            merged(&o, live.Policies, o.files.Policies),
		Drains:              merged(&o, live.Drains, o.files.Drains),
		CUDNs:               merged(&o, live.CUDNs, o.files.CUDNs),
		FRRConfigurations:   merged(&o, live.FRRConfigurations, o.files.FRRConfigurations),
		NADs:                merged(&o, live.NADs, o.files.NADs),
		Namespaces:          merged(&o, live.Namespaces, o.files.Namespaces),
		EgressIPs:           merged(&o, live.EgressIPs, o.files.EgressIPs),
		VTEPs:               merged(&o, live.VTEPs, o.files.VTEPs),
		Nodes:               merged(&o, live.Nodes, o.files.Nodes),
		UplinkStates:        merged(&o, live.UplinkStates, o.files.UplinkStates),
		ServiceCIDRs:        merged(&o, live.ServiceCIDRs, o.files.ServiceCIDRs),
		EndpointSlices:      live.EndpointSlices,
		Secrets:             merged(&o, live.Secrets, o.files.Secrets),
		NodeStates:          merged(&o, live.NodeStates, o.files.NodeStates),
		RouteStates:         merged(&o, live.RouteStates, o.files.RouteStates),
		NodeNetworks:        merged(&o, live.NodeNetworks, o.files.NodeNetworks),
	}, o.err
}

type overlay struct {
	files snapshot.Objects
	// created is the age of new objects: later than all live ones, because of two
	// objects that exclude each other the older one wins. It is zero if nothing live
	// has an age, so that files alone keep the times of a dump.
	created metav1.Time
	err     error
}

// afterAll is the second after the youngest of the objects whose age decides.
func afterAll(live *snapshot.Objects) metav1.Time {
	var youngest metav1.Time
	look := func(created metav1.Time) {
		if youngest.Before(&created) {
			youngest = created
		}
	}
	for i := range live.RouteAdvertisements {
		look(live.RouteAdvertisements[i].CreationTimestamp)
	}
	for i := range live.Policies {
		look(live.Policies[i].CreationTimestamp)
	}
	for i := range live.Drains {
		look(live.Drains[i].CreationTimestamp)
	}
	for i := range live.CUDNs {
		look(live.CUDNs[i].CreationTimestamp)
	}
	for i := range live.FRRConfigurations {
		look(live.FRRConfigurations[i].CreationTimestamp)
	}
	if youngest.IsZero() {
		return youngest
	}
	return metav1.NewTime(youngest.Add(time.Second))
}

func (o *overlay) take(object client.Object) {
	switch object := object.(type) {
	case *ovnv1.RouteAdvertisements:
		o.files.RouteAdvertisements = append(o.files.RouteAdvertisements, *object)
	case *ovnv1.ClusterUserDefinedNetwork:
		o.files.CUDNs = append(o.files.CUDNs, *object)
	case *frrk8sv1beta1.FRRConfiguration:
		o.files.FRRConfigurations = append(o.files.FRRConfigurations, *object)
	case *nadv1.NetworkAttachmentDefinition:
		o.files.NADs = append(o.files.NADs, *object)
	case *corev1.Namespace:
		o.files.Namespaces = append(o.files.Namespaces, *object)
	case *ovnv1.EgressIP:
		o.files.EgressIPs = append(o.files.EgressIPs, *object)
	case *ovnv1.VTEP:
		o.files.VTEPs = append(o.files.VTEPs, *object)
	case *corev1.Node:
		o.files.Nodes = append(o.files.Nodes, *object)
	case *networkingv1.ServiceCIDR:
		o.files.ServiceCIDRs = append(o.files.ServiceCIDRs, *object)
	case *corev1.Secret:
		o.files.Secrets = append(o.files.Secrets, *object)
	case *unstructured.Unstructured:
		o.files.UplinkStates = append(o.files.UplinkStates, *object)
	case *frrk8sv1beta1.FRRNodeState:
		o.files.NodeStates = append(o.files.NodeStates, *object)
	case *v1alpha1.NodeRouteState:
		o.files.RouteStates = append(o.files.RouteStates, *object)
	case *v1alpha1.RoutePolicy:
		o.files.Policies = append(o.files.Policies, *object)
	case *v1alpha1.DrainPolicy:
		o.files.Drains = append(o.files.Drains, *object)
	case *v1alpha1.NodeNetworks:
		o.files.NodeNetworks = append(o.files.NodeNetworks, metav1.PartialObjectMetadata{TypeMeta: object.TypeMeta, ObjectMeta: object.ObjectMeta})
	}
}

// merged returns the live objects, those that files write again replaced, and
// then what only files have.
func merged[T any, P interface {
	*T
	client.Object
}](o *overlay, live, files []T) []T {
	if len(files) == 0 {
		return live
	}
	out := make([]T, len(live), len(live)+len(files))
	copy(out, live)
	index := make(map[client.ObjectKey]int, len(live))
	for i := range live {
		index[client.ObjectKeyFromObject(P(&live[i]))] = i
	}
	for i := range files {
		at, found := index[client.ObjectKeyFromObject(P(&files[i]))]
		if !found {
			out = append(out, files[i])
			if !o.created.IsZero() {
				P(&out[len(out)-1]).SetCreationTimestamp(o.created)
			}
			continue
		}
		var object T
		if err := applied(P(&live[at]), P(&files[i]), P(&object)); err != nil && o.err == nil {
			o.err = fmt.Errorf("%s can't be merged into the cluster's object: %w", P(&files[i]).GetName(), err)
		}
		out[at] = object
	}
	return out
}

// applied writes what the live object would become. As kubectl apply does, it
// adds to labels and annotations and takes the other fields from the file;
// what the file doesn't mention at all, such as the status, stays.
func applied(live, file, out client.Object) error {
	before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return err
	}
	wanted, err := runtime.DefaultUnstructuredConverter.ToUnstructured(file)
	if err != nil {
		return err
	}
	after := maps.Clone(before)
	for key, value := range wanted {
		switch key {
		case "metadata", "apiVersion", "kind":
		case "status":
			if fields, _ := value.(map[string]any); len(fields) > 0 {
				after[key] = value
			}
		default:
			after[key] = value
		}
	}
	metadata := maps.Clone(before["metadata"].(map[string]any))
	for _, key := range []string{"labels", "annotations"} {
		addPairs(metadata, wanted["metadata"].(map[string]any), key)
	}
	if !reflect.DeepEqual(before["spec"], after["spec"]) && live.GetGeneration() > 0 {
		metadata["generation"] = live.GetGeneration() + 1
	}
	after["metadata"] = metadata
	return convert(after, out)
}

func addPairs(metadata, wanted map[string]any, key string) {
	added, _ := wanted[key].(map[string]any)
	if len(added) == 0 {
		return
	}
	pairs := map[string]any{}
	if before, found := metadata[key].(map[string]any); found {
		maps.Copy(pairs, before)
	}
	maps.Copy(pairs, added)
	metadata[key] = pairs
}

func convert(content map[string]any, out client.Object) error {
	if untyped, ok := out.(*unstructured.Unstructured); ok {
		untyped.Object = content
		return nil
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}
