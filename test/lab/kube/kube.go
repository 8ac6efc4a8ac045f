package kube

import (
	"context"
	"fmt"
	"net"
	"net/url"

	netattachv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// Cluster is a control plane and an administrator's access to it.
type Cluster struct {
	// Client has no cache: it reads what is there now.
	Client client.WithWatch
	Config *rest.Config

	address string
	plane   *controlplane.ControlPlane
}

// Connect connects to the control plane of a kubeconfig, or starts one where
// that is empty. Stop has to be called on it.
func Connect(kubeconfig string) (*Cluster, error) {
	c := &Cluster{}
	var err error
	if kubeconfig == "" {
		if c.plane, err = controlplane.Start(controlplane.Options{NADs: true, Configure: onLoopback}); err != nil {
			return nil, err
		}
		c.Config = c.plane.Config
	} else if c.Config, err = clientcmd.BuildConfigFromFlags("", kubeconfig); err != nil {
		return nil, fmt.Errorf("use kubeconfig %s: %w", kubeconfig, err)
	}
	if err := c.connect(); err != nil {
		_ = c.Stop()
		return nil, err
	}
	return c, nil
}

// onLoopback keeps the API server from looking for another address than the
// only one that an enclosure has.
func onLoopback(server *envtest.APIServer) {
	server.Configure().Set("advertise-address", "127.0.0.1").Set("endpoint-reconciler-type", "none")
}

func (c *Cluster) connect() error {
	c.Config.QPS = -1
	if err := rest.LoadTLSFiles(c.Config); err != nil {
		return err
	}
	server, err := url.Parse(c.Config.Host)
	if err != nil {
		return fmt.Errorf("the API server's address %s: %w", c.Config.Host, err)
	}
	if c.address = server.Host; c.address == "" {
		c.address = c.Config.Host
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, ovnv1.AddToScheme, v1alpha1.AddToScheme,
		frrk8sv1beta1.AddToScheme, netattachv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return err
		}
	}
	c.Client, err = client.NewWithWatch(c.Config, client.Options{Scheme: scheme})
	return err
}

// Stop ends what Connect has started.
func (c *Cluster) Stop() error {
	if c.plane == nil {
		return nil
	}
	return c.plane.Stop()
}

func (c *Cluster) dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", c.address)
}
