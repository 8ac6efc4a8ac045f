package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// startTimeout allows for a machine that is busy with other tests; a quiet one
// needs three seconds.
const startTimeout = 2 * time.Minute

// Options choose what a control plane is started with.
type Options struct {
	// NADs installs the CRD of NetworkAttachmentDefinitions, which clusters
	// without Multus may lack.
	NADs bool
	// WithoutOwnCRDs leaves it to the test to install the operator's CRDs.
	WithoutOwnCRDs bool
	// ExtraCRDs are further files or folders of CRDs.
	ExtraCRDs []string
	// Configure may change the API server's flags before it starts.
	Configure func(*envtest.APIServer)
}

// ControlPlane is a running etcd and kube-apiserver.
type ControlPlane struct {
	// Config is a cluster administrator's, without a client-side rate limit.
	Config *rest.Config
	// Binaries are the ones that run, kubectl among them.
	Binaries Binaries

	environment *envtest.Environment
}

// Start starts a control plane on free ports, with the operator's CRDs and
// those of frr-k8s. Stop has to be called on it.
func Start(options Options) (*ControlPlane, error) {
	binaries, err := FindBinaries()
	if err != nil {
		return nil, err
	}
	crds, err := crdPaths(options)
	if err != nil {
		return nil, err
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:        crds,
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  startTimeout,
	}
	apiServer := environment.ControlPlane.GetAPIServer()
	apiServer.Path = binaries.APIServer
	environment.ControlPlane.Etcd = &envtest.Etcd{Path: binaries.Etcd}
	environment.ControlPlane.KubectlPath = binaries.Kubectl
	if options.Configure != nil {
		options.Configure(apiServer)
	}

	config, err := environment.Start()
	if err != nil {
		// Without this, a CRD that is refused leaves two processes behind.
		if stopErr := environment.Stop(); stopErr != nil {
			err = fmt.Errorf("%w (and stopping it again: %w)", err, stopErr)
		}
		return nil, fmt.Errorf("starting the control plane from %s: %w", filepath.Dir(binaries.APIServer), err)
	}
	unlimited(config)
	return &ControlPlane{Config: config, Binaries: binaries, environment: environment}, nil
}

// Stop ends both processes and removes their data.
func (c *ControlPlane) Stop() error { return c.environment.Stop() }

// WriteKubeconfig writes the administrator's kubeconfig.
func (c *ControlPlane) WriteKubeconfig(path string) error {
	return os.WriteFile(path, c.environment.KubeConfig, 0o600)
}

// User is somebody whose rights are only what RBAC gives to the name and the
// groups, such as the operator's own service account.
type User struct {
	Config     *rest.Config
	kubeconfig []byte
}

// AddUser makes a user. For a service account the name is
// system:serviceaccount:NAMESPACE:NAME.
func (c *ControlPlane) AddUser(name string, groups ...string) (*User, error) {
	added, err := c.environment.AddUser(envtest.User{Name: name, Groups: groups}, nil)
	if err != nil {
		return nil, fmt.Errorf("adding user %s: %w", name, err)
	}
	kubeconfig, err := added.KubeConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of user %s: %w", name, err)
	}
	config := added.Config()
	unlimited(config)
	return &User{Config: config, kubeconfig: kubeconfig}, nil
}

// WriteKubeconfig writes the user's kubeconfig.
func (u *User) WriteKubeconfig(path string) error {
	return os.WriteFile(path, u.kubeconfig, 0o600)
}

// unlimited lifts client-go's rate limit, which would be what a test measures.
func unlimited(config *rest.Config) { config.QPS = -1 }

// crdPaths are the operator's CRDs, those of frr-k8s, and what options add.
func crdPaths(options Options) ([]string, error) {
	root, err := RepositoryRoot()
	if err != nil {
		return nil, err
	}
	own := filepath.Join(root, "config", "crd", "bases")
	if _, err := os.Stat(own); err != nil {
		return nil, fmt.Errorf("the operator's CRDs are missing: %w; run `make manifests`", err)
	}
	frrk8s, err := moduleFolder(root, "github.com/metallb/frr-k8s")
	if err != nil {
		return nil, err
	}
	paths := []string{filepath.Join(frrk8s, "config", "crd", "bases")}
	if !options.WithoutOwnCRDs {
		paths = append(paths, own)
	}
	if options.NADs {
		nads, err := moduleFolder(root, "github.com/k8snetworkplumbingwg/network-attachment-definition-client")
		if err != nil {
			return nil, err
		}
		paths = append(paths, filepath.Join(nads, "artifacts", "networks-crd.yaml"))
	}
	return append(paths, options.ExtraCRDs...), nil
}
