package vtep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/allocation"
)

// +kubebuilder:rbac:groups=k8s.ovn.org,resources=vteps,verbs=list;watch
// +kubebuilder:rbac:groups=k8s.ovn.org,resources=vteps/status,verbs=patch
// +kubebuilder:rbac:groups=k8s.ovn.org,resources=clusteruserdefinednetworks,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch
// +kubebuilder:rbac:groups=ovnbgp.io,resources=nodenetworks,verbs=list;watch;patch

// Request is the one request that there is: look at all VTEPs and nodes.
type Request struct{}

// Reconciler gives nodes the addresses of VTEPs.
type Reconciler struct {
	// Reader reads from the cache only, Uncached from the API server.
	Reader   client.Reader
	Uncached client.Reader
	Writer   client.Client
	// Now is the clock.
	Now func() time.Time

	// decided is who has what, nil until the first pass.
	decided map[string]map[string][]addr
	resting []addr
	sent    map[string]sent
}

// gathered is what a pass goes by.
type gathered struct {
	vteps []ovnv1.VTEP
	nodes []corev1.Node
	cudns []ovnv1.ClusterUserDefinedNetwork
	// published are the NodeNetworks by node.
	published map[string]*metav1.PartialObjectMetadata
}

// Reconcile gives addresses to nodes without. What can't be read is tried again and changes
// nothing; a node whose object can't be written doesn't keep others from theirs.
func (r *Reconciler) Reconcile(ctx context.Context, _ Request) (ctrl.Result, error) {
	found, err := r.gather(ctx)
	if meta.IsNoMatchError(err) {
		// The kinds may be served again.
		return ctrl.Result{}, nil
	}
	if err != nil {
		return ctrl.Result{}, err
	}
	held, err := r.held(ctx, found)
	if err != nil {
		return ctrl.Result{}, err
	}
	result := allocation.Allocate(r.request(found, held))
	r.remember(result.Addresses)
	failed := r.publish(ctx, found, result.Addresses)
	problems := []error{r.report(ctx, found, &result, failed)}
	for node, err := range failed {
		problems = append(problems, fmt.Errorf("node %s does not learn of its addresses yet: %w", node, err))
	}
	return ctrl.Result{}, errors.Join(problems...)
}

func (r *Reconciler) gather(ctx context.Context) (*gathered, error) {
	var vteps ovnv1.VTEPList
	var nodes corev1.NodeList
	var cudns ovnv1.ClusterUserDefinedNetworkList
	networks := networksList()
	for _, list := range []client.ObjectList{&vteps, &nodes, &cudns, networks} {
		if err := r.Reader.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("the addresses of VTEPs stay as they are: %w", err)
		}
	}
	return &gathered{vteps: vteps.Items, nodes: nodes.Items, cudns: cudns.Items, published: byName(networks.Items)}, nil
}

func networksList() *metav1.PartialObjectMetadataList {
	out := &metav1.PartialObjectMetadataList{}
	out.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("NodeNetworksList"))
	return out
}

func byName(items []metav1.PartialObjectMetadata) map[string]*metav1.PartialObjectMetadata {
	out := make(map[string]*metav1.PartialObjectMetadata, len(items))
	for i := range items {
		out[items[i].Name] = &items[i]
	}
	return out
}

// held is what nodes have, by node and VTEP, as far as it is written down.
func (r *Reconciler) held(ctx context.Context, found *gathered) (map[string]*metav1.PartialObjectMetadata, error) {
	if r.decided != nil {
		return found.published, nil
	}
	// The manager that led before may have written what the cache is still to show.
	networks := networksList()
	if err := r.Uncached.List(ctx, networks); err != nil {
		return nil, fmt.Errorf("the addresses of VTEPs stay as they are: %w", err)
	}
	log.FromContext(ctx).Info("Read the addresses of VTEPs that nodes have", "nodes", len(networks.Items))
	return byName(networks.Items), nil
}

// remember keeps what was decided, and which addresses were given back.
func (r *Reconciler) remember(now map[string]map[string][]addr) {
	has := map[addr]bool{}
	for _, vteps := range now {
		for _, addresses := range vteps {
			for _, a := range addresses {
				has[a] = true
			}
		}
	}
	for _, node := range sortedKeys(r.decided) {
		r.rest(r.decided[node], has)
	}
	r.resting = slices.DeleteFunc(r.resting, func(a addr) bool { return has[a] })
	r.resting = r.resting[max(0, len(r.resting)-maxResting):]
	r.decided = now
}

// rest notes those of a node's addresses that were given back: nobody has them any more.
func (r *Reconciler) rest(vteps map[string][]addr, has map[addr]bool) {
	for _, vtep := range sortedKeys(vteps) {
		for _, a := range vteps[vtep] {
			if !has[a] && !slices.Contains(r.resting, a) {
				r.resting = append(r.resting, a)
			}
		}
	}
}

// maxResting is how many addresses are kept from being given out again at once.
const maxResting = 1024
