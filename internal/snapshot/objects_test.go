package snapshot

import (
	"context"
	"errors"
	"strings"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// failing is a cluster whose lists of some kinds fail; the others are empty
// but for one namespace.
type failing struct {
	t      *testing.T
	errs   map[string]error
	listed []string
}

func (f *failing) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	f.t.Fatal("Gather gets single objects")
	return nil
}

func (f *failing) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		f.t.Fatal(err)
	}
	gvk, err := apiutil.GVKForObject(list, scheme)
	if err != nil {
		f.t.Fatal(err)
	}
	kind := strings.TrimSuffix(gvk.Kind, "List")
	f.listed = append(f.listed, kind)
	applied := (&client.ListOptions{}).ApplyOptions(options)
	if applied.UnsafeDisableDeepCopy == nil || !*applied.UnsafeDisableDeepCopy {
		f.t.Errorf("%s are copied", kind)
	}
	if namespaces, ok := list.(*corev1.NamespaceList); ok {
		namespaces.Items = []corev1.Namespace{{}}
	}
	return f.errs[kind]
}

func TestGather(t *testing.T) {
	noMatch := &meta.NoKindMatchError{GroupKind: schema.GroupKind{Kind: "X"}}
	gone := apierrors.NewNotFound(schema.GroupResource{Resource: "x"}, "")
	down := errors.New("connection refused")
	for _, row := range []struct {
		name, kind string
		err        error
		message    string
	}{
		{name: "all there"},
		{name: "no NADs", kind: "NetworkAttachmentDefinition", err: noMatch},
		{name: "no RoutePolicies", kind: "RoutePolicy", err: noMatch},
		{name: "no DrainPolicies", kind: "DrainPolicy", err: noMatch},
		{name: "no VTEPs", kind: "VTEP", err: noMatch},
		{name: "no UplinkStates", kind: "UplinkState", err: noMatch},
		{name: "no FRRNodeStates", kind: "FRRNodeState", err: noMatch},
		{name: "no NodeRouteStates", kind: "NodeRouteState", err: noMatch},
		{name: "no ServiceCIDRs", kind: "ServiceCIDR", err: noMatch},
		{name: "CRD removed a moment ago", kind: "UplinkState", err: gone},
		{name: "NADs not read", kind: "NetworkAttachmentDefinition", err: down, message: "listing NetworkAttachmentDefinitions: connection refused"},
		{name: "nodes not read", kind: "Node", err: down, message: "listing Nodes: connection refused"},
		{name: "no frr-k8s", kind: "FRRConfiguration", err: noMatch, message: "listing FRRConfigurations: " + noMatch.Error()},
		{name: "no RouteAdvertisements", kind: "RouteAdvertisements", err: noMatch, message: "listing RouteAdvertisements: " + noMatch.Error()},
	} {
		t.Run(row.name, func(t *testing.T) {
			cluster := &failing{t: t, errs: map[string]error{row.kind: row.err}}
			objs, err := Gather(context.Background(), cluster, Options{})
			if row.message != "" {
				if err == nil || err.Error() != row.message || objs != nil {
					t.Fatalf("got %v, %v", objs, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(objs.Namespaces) != 1 {
				t.Fatalf("got %d namespaces", len(objs.Namespaces))
			}
			same(t, cluster.listed, []string{"RouteAdvertisements", "RoutePolicy", "DrainPolicy", "ClusterUserDefinedNetwork", "FRRConfiguration", "NetworkAttachmentDefinition",
				"Namespace", "EgressIP", "VTEP", "Node", "UplinkState", "FRRNodeState", "NodeRouteState", "ServiceCIDR", "EndpointSlice"})
		})
	}
}

func TestGatherWithoutNodeStates(t *testing.T) {
	cluster := &failing{t: t, errs: map[string]error{"FRRNodeState": errors.New("was read"), "NodeRouteState": errors.New("was read"), "EndpointSlice": errors.New("was read")}}
	objs, err := Gather(context.Background(), cluster, Options{WithoutNodeStates: true, WithoutRouteStates: true, WithoutAPIServer: true})
	if err != nil {
		t.Fatal(err)
	}
	same(t, objs.NodeStates, []frrk8sv1beta1.FRRNodeState(nil))
}
