package kube

import (
	"context"
	"encoding/json"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// inside is where the API server is on every machine that has access.
const inside = "127.0.0.1:6443"

// tokenLifetime outlives any run.
const tokenLifetime = 24 * 60 * 60

// Open makes the API server reachable from a machine.
func (c *Cluster) Open(ctx context.Context, m *machine.Machine) error {
	return m.Forward(ctx, inside, c.dial)
}

// Shut has the API server not be reachable from a machine until it is opened again, and
// ends all connections.
func (c *Cluster) Shut(m *machine.Machine) { m.Unforward() }

// Admit writes a kubeconfig for a service account into a machine, and returns
// its path. The service account has to exist; what it may do is RBAC's.
func (c *Cluster) Admit(ctx context.Context, m *machine.Machine, account types.NamespacedName) (string, error) {
	seconds := int64(tokenLifetime)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	owner := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: account.Namespace, Name: account.Name}}
	if err := c.Client.SubResource("token").Create(ctx, owner, request); err != nil {
		return "", fmt.Errorf("a token for service account %s: %w", account, err)
	}
	config := clientcmdv1.Config{
		APIVersion: "v1", Kind: "Config", CurrentContext: "lab",
		Clusters: []clientcmdv1.NamedCluster{{Name: "lab", Cluster: clientcmdv1.Cluster{
			Server: "https://" + inside, CertificateAuthorityData: c.Config.CAData,
		}}},
		AuthInfos: []clientcmdv1.NamedAuthInfo{{Name: account.Name, AuthInfo: clientcmdv1.AuthInfo{Token: request.Status.Token}}},
		Contexts:  []clientcmdv1.NamedContext{{Name: "lab", Context: clientcmdv1.Context{Cluster: "lab", AuthInfo: account.Name}}},
	}
	text, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	path := "/run/kubeconfig-" + account.Name
	return path, m.WriteFile(path, string(text))
}
