package lab

import (
	"context"
	"errors"
	"fmt"

	netattachv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
)

// createNodes writes what kubelets do, and the Pods of frr-k8s.
func (l *Lab) createNodes(ctx context.Context) error {
	for _, n := range l.Nodes {
		if err := l.CreateNode(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// CreateNode writes a node's Node, as its kubelet does, and frr-k8s' Pod there.
// Its annotations are OVN-Kubernetes', which Publish of CNI writes.
func (l *Lab) CreateNode(ctx context.Context, n *Node) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: nodeLabels(n.Name)}}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: frrk8s.Namespace, Name: frrk8s.PodName(n.Name),
			// Where frr-k8s' webhook runs, it removes the state of a node without such a Pod.
			Labels: labels.Set{"app.kubernetes.io/component": "frr-k8s"},
		},
		Spec: corev1.PodSpec{
			NodeName: n.Name, HostNetwork: true,
			Containers: []corev1.Container{{Name: "controller", Image: "frr-k8s"}},
		},
	}
	for _, object := range []client.Object{node, pod} {
		if err := l.Kube.Client.Create(ctx, object); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %T %s: %w", object, object.GetName(), err)
		}
	}
	// The API server taints every new node as not ready. Kubernetes' node controller, which
	// is not in the lab, takes that away when the kubelet reports that it is.
	untainted := client.RawPatch(types.MergePatchType, []byte(`{"spec": {"taints": null}}`))
	if err := l.Kube.Client.Patch(ctx, node, untainted); err != nil {
		return fmt.Errorf("remove the taints of Node %s: %w", n.Name, err)
	}
	for _, address := range n.Addresses {
		node.Status.Addresses = append(node.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: address.Addr().String()})
	}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady"}}
	return l.Kube.Client.Status().Update(ctx, node)
}

// nodeLabels are those that a kubelet gives its Node.
func nodeLabels(name string) labels.Set {
	return labels.Set{"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "node-role.kubernetes.io/worker": ""}
}

// written are the kinds that a lab and what runs in it write.
func written() []client.ObjectList {
	return []client.ObjectList{
		&ovnv1.RouteAdvertisementsList{}, &ovnv1.ClusterUserDefinedNetworkList{}, &ovnv1.EgressIPList{}, &ovnv1.VTEPList{},
		&frrk8sv1beta1.FRRConfigurationList{}, &frrk8sv1beta1.FRRNodeStateList{}, &frrk8sv1beta1.BGPSessionStateList{},
		&v1alpha1.NodeRouteStateList{}, &v1alpha1.RoutePolicyList{}, &v1alpha1.DrainPolicyList{}, &netattachv1.NetworkAttachmentDefinitionList{},
		&corev1.PodList{}, &corev1.NodeList{},
	}
}

// removeObjects removes them all: nobody else uses the API server.
func (l *Lab) removeObjects(ctx context.Context) error {
	var troubles []error
	for _, list := range written() {
		objects, err := l.list(ctx, list)
		if err != nil {
			troubles = append(troubles, err)
			continue
		}
		for _, object := range objects {
			err := l.Kube.Client.Delete(ctx, object, client.GracePeriodSeconds(0))
			troubles = append(troubles, client.IgnoreNotFound(err))
		}
	}
	return errors.Join(troubles...)
}
