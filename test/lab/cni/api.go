package cni

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
)

// What OVN-Kubernetes writes on API objects and reads from them, written down
// and not taken from the operator's code.
const (
	prefixOf                = "k8s.ovn.org/"
	networkNameKey          = prefixOf + "network-name"
	networkIDKey            = prefixOf + "network-id"
	tunnelKeysKey           = prefixOf + "tunnel-keys"
	routeAdvertisementsKey  = prefixOf + "route-advertisements"
	userDefinedNetworkLabel = prefixOf + "user-defined-network"
	defaultDefinition       = "default"
	ovnKubernetesNamespace  = "ovn-kubernetes"
	cniVersion              = "1.1.0"
)

// NodeAnnotations are those that OVN-Kubernetes has written on a node.
func (c *Cluster) NodeAnnotations(name string) (map[string]string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	node, err := c.node(name)
	if err != nil {
		return nil, err
	}
	subnets := map[string][]string{}
	for _, n := range c.networks {
		if n.Topology == Layer3 {
			subnets[n.Name] = text(n.HostSubnets(&node.Node))
		}
	}
	out := map[string]string{
		"node-subnets":           encoded(subnets),
		"node-primary-ifaddr":    encoded(byFamily(node.Addresses)),
		"node-masquerade-subnet": encoded(byFamily(sameFamilies(masqueradeSubnets, node.Addresses))),
		"host-cidrs":             encoded(text(node.Addresses)),
		"node-chassis-id":        ChassisID(node.Name),
		"node-id":                strconv.Itoa(node.ID),
		"zone-name":              c.zoneName(node),
		"l3-gateway-config":      encoded(map[string]any{Default: c.gatewayConfig(node)}),
		// Layer2 networks have a transit router. Nothing on a node tells
		// which of them are there.
		"layer2-topology-version": "2.0",
	}
	if c.vteps != nil {
		out["vteps"] = encoded(c.vtepAddresses(node))
	}
	annotations := map[string]string{}
	for key, value := range out {
		annotations[prefixOf+key] = value
	}
	return annotations, nil
}

func (c *Cluster) zoneName(node *clusterNode) string {
	if c.options.SharedOVN != nil {
		return "global"
	}
	return node.Name
}

func (c *Cluster) gatewayConfig(node *clusterNode) map[string]any {
	mode := "shared"
	if c.options.LocalGateway {
		mode = "local"
	}
	nextHops := make([]string, len(node.NextHops))
	for i, nextHop := range node.NextHops {
		nextHops[i] = nextHop.String()
	}
	return map[string]any{
		"mode": mode, "bridge-id": Bridge, "interface-id": Bridge + "_" + node.Name, "mac-address": node.MAC,
		"ip-addresses": text(node.Addresses), "next-hops": nextHops, "node-port-enable": "true", "vlan-id": "0",
	}
}

func byFamily(prefixes []netip.Prefix) map[string]string {
	out := map[string]string{}
	for _, p := range prefixes {
		if p.Addr().Is4() {
			out["ipv4"] = p.String()
		} else {
			out["ipv6"] = p.String()
		}
	}
	return out
}

func encoded(value any) string {
	out, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// Publish writes the nodes' annotations and, for each network, its definitions:
// that of the default network, and one in each of the namespaces of others. It
// is to be called again when there is another network, or one less, whose
// definitions it deletes.
func (c *Cluster) Publish(ctx context.Context, api client.Client, namespaces map[string][]string) error {
	var errs []error
	for _, node := range c.nodes {
		annotations, err := c.NodeAnnotations(node.Name)
		if err != nil {
			return err
		}
		patch := encoded(map[string]any{"metadata": map[string]any{"annotations": annotations}})
		object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node.Name}}
		errs = append(errs, api.Patch(ctx, object, client.RawPatch("application/merge-patch+json", []byte(patch))))
	}
	errs = append(errs, c.acceptVTEPs(ctx, api))
	for _, definition := range c.definitions(namespaces) {
		if err := own(ctx, api, definition); err != nil {
			return err
		}
		err := api.Create(ctx, definition)
		if err != nil && !apierrors.IsAlreadyExists(err) {
			errs = append(errs, fmt.Errorf("network definition %s/%s: %w", definition.Namespace, definition.Name, err))
		}
	}
	return errors.Join(append(errs, c.prune(ctx, api))...)
}

// acceptVTEPs is the cluster manager's verdict on VTEPs: one node without an address
// is enough for it to refuse one.
func (c *Cluster) acceptVTEPs(ctx context.Context, api client.Client) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.vteps) == 0 {
		return nil
	}
	var stored ovnv1.VTEPList
	if err := api.List(ctx, &stored); err != nil {
		return err
	}
	for i := range stored.Items {
		vtep := &stored.Items[i]
		if vtep.Spec.Mode == ovnv1.VTEPModeManaged {
			continue // A cluster manager that knows of VTEPs would refuse it.
		}
		verdict := metav1.Condition{
			Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Allocated", Message: "all nodes have addresses", ObservedGeneration: vtep.Generation,
		}
		if len(c.vteps[vtep.Name]) < len(c.nodes) {
			verdict.Status, verdict.Reason, verdict.Message = metav1.ConditionFalse, "AllocationFailed", "not all nodes have addresses"
		}
		if !meta.SetStatusCondition(&vtep.Status.Conditions, verdict) {
			continue
		}
		if err := api.Status().Update(ctx, vtep); err != nil {
			return fmt.Errorf("accept VTEP %s: %w", vtep.Name, err)
		}
	}
	return nil
}

// own has the network control its definition.
func own(ctx context.Context, api client.Client, definition *nadv1.NetworkAttachmentDefinition) error {
	if _, ofCUDN := definition.Labels[userDefinedNetworkLabel]; !ofCUDN {
		return nil
	}
	var network ovnv1.ClusterUserDefinedNetwork
	if err := api.Get(ctx, client.ObjectKey{Name: definition.Name}, &network); err != nil {
		return fmt.Errorf("the network of definition %s/%s: %w", definition.Namespace, definition.Name, err)
	}
	definition.OwnerReferences = []metav1.OwnerReference{
		*metav1.NewControllerRef(&network, ovnv1.GroupVersion.WithKind("ClusterUserDefinedNetwork")),
	}
	return nil
}

// prune deletes the definitions of networks that are gone.
func (c *Cluster) prune(ctx context.Context, api client.Client) error {
	var stored nadv1.NetworkAttachmentDefinitionList
	if err := api.List(ctx, &stored, client.HasLabels{userDefinedNetworkLabel}); err != nil {
		return err
	}
	names := c.names()
	for i := range stored.Items {
		if definition := &stored.Items[i]; !slices.Contains(names, definition.Annotations[networkNameKey]) {
			if err := client.IgnoreNotFound(api.Delete(ctx, definition)); err != nil {
				return err
			}
		}
	}
	return nil
}

// definitions are the networks' NetworkAttachmentDefinitions.
func (c *Cluster) definitions(namespaces map[string][]string) []*nadv1.NetworkAttachmentDefinition {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var out []*nadv1.NetworkAttachmentDefinition
	for _, n := range c.networks {
		if n.isDefault() {
			// Nothing says its name or ID.
			out = append(out, &nadv1.NetworkAttachmentDefinition{
				ObjectMeta: metav1.ObjectMeta{Namespace: ovnKubernetesNamespace, Name: defaultDefinition},
				Spec:       nadv1.NetworkAttachmentDefinitionSpec{Config: n.defaultDefinition()},
			})
			continue
		}
		for _, namespace := range namespaces[n.Name] {
			out = append(out, n.attachment(namespace))
		}
	}
	return out
}

// attachment is the network's definition in a namespace.
func (n *Network) attachment(namespace string) *nadv1.NetworkAttachmentDefinition {
	annotations := map[string]string{networkNameKey: n.Name, networkIDKey: strconv.Itoa(n.ID), tunnelKeysKey: "[]"}
	if n.Topology == Layer2 {
		annotations[tunnelKeysKey] = encoded(n.tunnelKeys())
	}
	name := strings.TrimPrefix(n.Name, "cluster_udn_")
	return &nadv1.NetworkAttachmentDefinition{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name,
			Annotations: annotations, Labels: map[string]string{userDefinedNetworkLabel: ""},
		},
		Spec: nadv1.NetworkAttachmentDefinitionSpec{Config: n.definition(namespace + "/" + name)},
	}
}

func (n *Network) definition(nad string) string {
	subnets := text(n.Subnets)
	out := map[string]any{
		"cniVersion": cniVersion, "type": "ovn-k8s-cni-overlay", "name": n.Name, "netAttachDefName": nad,
		"topology": string(n.Topology), "role": "primary", "joinSubnet": strings.Join(text(udnJoinSubnets), ","),
	}
	if n.Topology == Layer3 {
		for i, subnet := range n.Subnets {
			subnets[i] += "/" + strconv.Itoa(n.hostBits(subnet))
		}
	} else {
		out["transitSubnet"] = strings.Join(text(sameFamilies(transitSubnets, n.Subnets)), ",")
	}
	out["subnets"] = strings.Join(subnets, ",")
	maps.Copy(out, n.transport())
	return encoded(out)
}

// defaultDefinition is OVN-Kubernetes' own; an administrator has written more
// into it where the network has no overlay.
func (n *Network) defaultDefinition() string {
	out := map[string]any{"cniVersion": cniVersion, "name": "ovn-kubernetes", "type": "ovn-k8s-cni-overlay"}
	maps.Copy(out, n.transport())
	return encoded(out)
}

// transport is said in definitions of networks without OVN's own tunnels.
func (n *Network) transport() map[string]any {
	if n.EVPN != nil {
		return map[string]any{"transport": "evpn", "evpn": n.EVPN.definition()}
	}
	if !n.NoOverlay {
		return nil
	}
	out := map[string]any{"transport": "no-overlay", "outboundSNAT": "disabled"}
	if n.OutboundSNAT {
		out["outboundSNAT"] = "enabled"
	}
	return out
}
