package kube

import (
	"context"
	"path/filepath"

	"k8s.io/apimachinery/pkg/types"
)

// The service accounts of what the lab runs.
var (
	ManagerAccount = types.NamespacedName{Namespace: "ovn-bgp-operator-system", Name: "ovn-bgp-operator"}
	AgentAccount   = types.NamespacedName{Namespace: "ovn-bgp-agent-system", Name: "ovn-bgp-agent"}
	FRRK8sAccount  = types.NamespacedName{Namespace: "frr-k8s-system", Name: "frr-k8s-daemon"}
)

// rightsOfFRRK8s are more than its own manifests give: they are not what is
// tested.
const rightsOfFRRK8s = `
apiVersion: v1
kind: Namespace
metadata: {name: frr-k8s-system}
---
apiVersion: v1
kind: ServiceAccount
metadata: {namespace: frr-k8s-system, name: frr-k8s-daemon}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: frr-k8s-daemon}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects:
- {kind: ServiceAccount, namespace: frr-k8s-system, name: frr-k8s-daemon}
---
apiVersion: v1
kind: Namespace
metadata: {name: ovn-kubernetes}
`

// GrantRights creates namespaces, service accounts and RBAC: for manager and
// agent exactly what config/ in the checkout has.
func (c *Cluster) GrantRights(ctx context.Context, checkout string) error {
	var files []string
	for _, path := range []string{
		"manager/namespace.yaml", "agent/namespace.yaml",
		"rbac/service_account.yaml", "rbac/role.yaml", "rbac/role_binding.yaml",
		"agent/service_account.yaml", "agent/role.yaml", "agent/role_binding.yaml",
	} {
		files = append(files, filepath.Join(checkout, "config", path))
	}
	if err := c.ApplyFiles(ctx, files...); err != nil {
		return err
	}
	_, err := c.Apply(ctx, rightsOfFRRK8s)
	return err
}
