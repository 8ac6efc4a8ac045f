package sources

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// apiServerSlice is the EndpointSlice that the API server keeps of itself.
var apiServerSlice = client.ObjectKey{Namespace: "default", Name: "kubernetes"}

// clusterAgain is how old that may be: both hardly ever change, and every node
// has an agent.
const clusterAgain = 10 * time.Minute

// clusterView is what readCluster reads.
type clusterView struct {
	apiServer    []netip.Addr
	serviceCIDRs []netip.Prefix
}

// readCluster reads what is the cluster's own: the API server's addresses and
// the subnets of services.
func (w *Watcher) readCluster(ctx context.Context, view *View) error {
	if w.clusterRead.IsZero() || time.Since(w.clusterRead) > clusterAgain {
		next, err := w.clusterAnswer(ctx)
		if err != nil {
			return err
		}
		w.cluster, w.clusterRead = next, time.Now()
	}
	view.APIServer, view.ServiceCIDRs = w.cluster.apiServer, w.cluster.serviceCIDRs
	return nil
}

// clusterAnswer is what was asked for when the agent started, the first time:
// a node's routes wait for it as for all else that is read.
func (w *Watcher) clusterAnswer(ctx context.Context) (clusterView, error) {
	early := w.early
	if w.early = nil; early == nil {
		return w.askCluster(ctx)
	}
	select {
	case answer := <-early:
		return answer()
	case <-ctx.Done():
		return clusterView{}, ctx.Err()
	}
}

// askEarly begins to ask.
func (w *Watcher) askEarly(ctx context.Context) {
	early := make(chan func() (clusterView, error), 1)
	w.early = early
	go func() {
		view, err := w.askCluster(ctx)
		early <- func() (clusterView, error) { return view, err }
	}()
}

func (w *Watcher) askCluster(ctx context.Context) (out clusterView, err error) {
	out.apiServer = w.configured()
	var slice discoveryv1.EndpointSlice
	if err := w.client.Get(ctx, apiServerSlice, &slice); err != nil && !apierrors.IsNotFound(err) {
		return out, fmt.Errorf("EndpointSlice %s: %w", apiServerSlice, err)
	}
	for _, endpoint := range slice.Endpoints {
		for _, text := range endpoint.Addresses {
			if address, err := netip.ParseAddr(text); err == nil && !slices.Contains(out.apiServer, address) {
				out.apiServer = append(out.apiServer, address)
			}
		}
	}
	var list networkingv1.ServiceCIDRList
	// API servers before 1.33 don't serve them.
	if err := w.client.List(ctx, &list); err != nil && !meta.IsNoMatchError(err) {
		return out, fmt.Errorf("ServiceCIDRs: %w", err)
	}
	for i := range list.Items {
		for _, text := range list.Items[i].Spec.CIDRs {
			if prefix, err := netip.ParsePrefix(text); err == nil {
				out.serviceCIDRs = append(out.serviceCIDRs, prefix.Masked())
			}
		}
	}
	return out, nil
}

// configured is the address that this agent reaches the API server at, where
// that is no name.
func (w *Watcher) configured() []netip.Addr {
	if at, err := url.Parse(w.Config.Host); err == nil {
		if address, err := netip.ParseAddr(at.Hostname()); err == nil {
			return []netip.Addr{address}
		}
	}
	return nil
}
