package sources

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/lastknown"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

const (
	// lookAgain is how often what is not watched is read again.
	lookAgain = 30 * time.Second
	// lookSoon is the same while something is missing.
	lookSoon = 2 * time.Second
)

// Scheme returns the types that are read.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, discoveryv1.AddToScheme, networkingv1.AddToScheme, ovnv1.AddToScheme, nadv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

// Watcher follows the API server and tells the networks whenever they change.
type Watcher struct {
	Config   *rest.Config
	Settings Settings
	Log      logr.Logger
	// Apply gets the networks; it is called with every reading. They are not
	// complete while the API server does not serve CUDNs: perhaps the cluster
	// has none, perhaps the server has just been started.
	Apply func(networks []agent.Network, complete bool)
	// View, where set, gets what was read.
	View func(*View)
	// Patient watchers wait for an API server that can't be reached when they
	// start; others end with the cause.
	Patient bool
	// Known, where set, keeps what was read, for an agent that starts while the
	// API server is away.
	Known *lastknown.File

	// mu is for what follows: answered is set once the API server has told what
	// is, begun once something was made of what is known.
	mu              sync.Mutex
	answered, begun bool
	complaint       string

	// cluster is what readCluster read, and when.
	cluster     clusterView
	clusterRead time.Time
	early       chan func() (clusterView, error)

	cache  cache.Cache
	client client.Client
	wake   chan struct{}
	// followed are the optional kinds that are watched already.
	followed map[string]bool
}

// Run follows the API server until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	scheme, err := Scheme()
	if err != nil {
		return err
	}
	w.wake, w.followed = make(chan struct{}, 1), map[string]bool{}
	if w.client, err = client.New(w.Config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	late := time.AfterFunc(knownAfter, func() { w.unanswered("it is slow") })
	defer late.Stop()
	// It asks the API server at once what kinds there are.
	if err := w.patiently(ctx, func() (err error) {
		w.cache, err = w.newCache(scheme)
		return err
	}); err != nil || ctx.Err() != nil {
		return err
	}
	w.askEarly(ctx)
	stopped := make(chan error, 1)
	go func() { stopped <- w.cache.Start(ctx) }()
	if err := w.patiently(ctx, func() error { return w.follow(ctx, &corev1.Node{}) }); err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-stopped:
			return err
		case <-w.wake:
		case <-timer.C:
		}
		again := lookAgain
		if err := w.read(ctx); err != nil && ctx.Err() == nil {
			w.Log.Info("The networks are not known; what was imported stays as it is", "cause", err.Error())
			again = lookSoon
		}
		timer.Reset(again)
	}
}

func (w *Watcher) newCache(scheme *runtime.Scheme) (cache.Cache, error) {
	return cache.New(w.Config, cache.Options{
		Scheme:           scheme,
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Node{}: {
				Field:     fields.OneTermEqualSelector(metav1.ObjectNameField, w.Settings.Node),
				Transform: keepAnnotations,
			},
		},
	})
}

// patiently does something that needs the API server. What was imported stays
// until it can be reached: without networks nobody changes anything.
func (w *Watcher) patiently(ctx context.Context, do func() error) error {
	complained := time.Time{}
	for {
		err := do()
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if !w.Patient {
			return fmt.Errorf("cannot watch the cluster at %s: %w", w.Config.Host, err)
		}
		w.unanswered(err.Error())
		if time.Since(complained) > time.Minute {
			w.Log.Info("The API server can't be reached; trying again, and what was imported stays as it is", "server", w.Config.Host, "cause", err.Error())
			complained = time.Now()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookSoon):
		}
	}
}

// keepAnnotations drops what of a Node is not read; its images alone are tens
// of kilobytes.
func keepAnnotations(object any) (any, error) {
	if node, ok := object.(*corev1.Node); ok {
		node.ManagedFields, node.Spec, node.Status = nil, corev1.NodeSpec{}, corev1.NodeStatus{}
	}
	return object, nil
}

func (w *Watcher) follow(ctx context.Context, object client.Object) error {
	informer, err := w.cache.GetInformer(ctx, object, cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	poke := func() {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	handler, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { poke() }, UpdateFunc: func(any, any) { poke() }, DeleteFunc: func(any) { poke() },
	})
	if err != nil {
		return err
	}
	// A cache that is read too early fails, or looks every 100 ms whether it is
	// synced, and the node's routes wait for that.
	select {
	case <-handler.HasSyncedChecker().Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read reads everything and applies it. After an error nothing is applied: a
// network that could not be read must not look like one that is gone.
func (w *Watcher) read(ctx context.Context) error {
	view := &View{Node: &corev1.Node{}}
	if err := w.cache.Get(ctx, client.ObjectKey{Name: w.Settings.Node}, view.Node); err != nil {
		return fmt.Errorf("reading Node %s: %w", w.Settings.Node, err)
	}
	served, err := w.served(ctx, ovnk.CUDNKind, &ovnv1.ClusterUserDefinedNetwork{})
	if err != nil {
		return err
	}
	if served {
		var list ovnv1.ClusterUserDefinedNetworkList
		if err := w.cache.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("ClusterUserDefinedNetworks: %w", err)
		}
		view.CUDNs = list.Items
	}
	if err := w.readAdvertisements(ctx, view); err != nil {
		return err
	}
	if err := w.readUplinks(ctx, view); err != nil {
		return err
	}
	if err := w.readNetworkIDs(ctx, view); err != nil {
		return err
	}
	if err := w.readCluster(ctx, view); err != nil {
		return err
	}
	if w.View != nil {
		w.View(view)
	}
	w.told(view, served)
	return nil
}

// served begins to watch a kind of OVN-Kubernetes' as soon as the API server
// serves it.
func (w *Watcher) served(ctx context.Context, kind string, object client.Object) (bool, error) {
	if w.followed[kind] {
		return true, nil
	}
	if _, err := w.client.RESTMapper().RESTMapping(schema.GroupKind{Group: ovnk.Group, Kind: kind}, "v1"); meta.IsNoMatchError(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if err := w.follow(ctx, object); err != nil {
		return false, err
	}
	w.followed[kind] = true
	return true, nil
}

func (w *Watcher) readAdvertisements(ctx context.Context, view *View) error {
	served, err := w.served(ctx, "RouteAdvertisements", &ovnv1.RouteAdvertisements{})
	if err != nil {
		return err
	}
	if !served && !w.Settings.Advertisements {
		return nil
	}
	if !served {
		// An API server that was just started doesn't serve them yet: taking
		// nothing for advertised would open VRFs, and SNAT.
		return errors.New("the API server does not serve RouteAdvertisements, and --manage-vrfs and --manage-snat go by what is advertised: install the operator's CRDs")
	}
	var list ovnv1.RouteAdvertisementsList
	if err := w.cache.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("RouteAdvertisements: %w", err)
	}
	view.RouteAdvertisements, view.AdvertisementsKnown = list.Items, true
	return nil
}

// readUplinks reads UplinkStates only where a network names an uplink.
func (w *Watcher) readUplinks(ctx context.Context, view *View) error {
	needed := false
	for i := range view.CUDNs {
		needed = needed || len(view.CUDNs[i].Spec.Uplinks) > 0
	}
	if !needed {
		return nil
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: ovnk.Group, Version: ovnk.UplinkStateVersion, Kind: ovnk.UplinkStateKind + "List"})
	if err := w.client.List(ctx, list); err != nil && !meta.IsNoMatchError(err) {
		return fmt.Errorf("UplinkStates: %w", err)
	}
	view.UplinkStates = list.Items
	return nil
}

// readNetworkIDs finds the IDs of networks whose VRF is named after them:
// on the node in older releases, else on the network's definitions.
func (w *Watcher) readNetworkIDs(ctx context.Context, view *View) error {
	view.NetworkIDs = map[string]int{}
	if value, found := view.Node.Annotations[ovnk.AnnotationNetworkIDs]; found {
		ids, err := ovnk.ParseNetworkIDs(value)
		if err != nil {
			return err
		}
		view.NetworkIDs = ids
	}
	missing := false
	for i := range view.CUDNs {
		cudn := &view.CUDNs[i]
		_, known := view.NetworkIDs[ovnk.NetworkName(cudn.Name)]
		missing = missing || primaryRouted(cudn) && !known && (w.Settings.NetworkIDs || vrf(cudn, view) == "")
	}
	if !missing {
		return nil
	}
	options := &client.ListOptions{Limit: 500}
	for {
		var list nadv1.NetworkAttachmentDefinitionList
		if err := w.client.List(ctx, &list, options, client.HasLabels{ovnk.LabelUserDefinedNetwork}); err != nil {
			if meta.IsNoMatchError(err) {
				return nil
			}
			return fmt.Errorf("NetworkAttachmentDefinitions: %w", err)
		}
		for i := range list.Items {
			nad := &list.Items[i]
			id, err := ovnk.ParseNetworkID(nad.Annotations[ovnk.AnnotationNetworkID])
			if network := view.networkOf(nad); network != "" && err == nil {
				view.NetworkIDs[network] = id
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return nil
		}
	}
}
