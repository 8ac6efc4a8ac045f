package node

import (
	"context"
	"fmt"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
)

// indexByNode is the name of the index by which a node's objects are found.
const indexByNode = "ovnbgp.io/by-node"

// AddIndexes adds the indexes that the controller reads by.
func AddIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	if err := indexer.IndexField(ctx, &frrk8sv1beta1.FRRConfiguration{}, indexByNode, apply.IndexByNode); err != nil {
		return fmt.Errorf("cannot index FRRConfigurations by node: %w", err)
	}
	return nil
}

// liveObjects lists what is in the cluster for a node.
func liveObjects(ctx context.Context, reader client.Reader, node string) ([]apply.LiveObject, error) {
	var list frrk8sv1beta1.FRRConfigurationList
	err := reader.List(ctx, &list, client.MatchingFields{indexByNode: apply.NodeIndexKey(node)}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, err
	}
	live := make([]apply.LiveObject, 0, len(list.Items))
	for i := range list.Items {
		live = append(live, apply.Live(&list.Items[i]))
	}
	return live, nil
}

// Generated returns the nodes that objects were generated for, whether these
// nodes are there or not.
func Generated(ctx context.Context, reader client.Reader) (map[string]bool, error) {
	var list frrk8sv1beta1.FRRConfigurationList
	if err := reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	nodes := map[string]bool{}
	for i := range list.Items {
		if o := &list.Items[i]; apply.Owned(o) {
			nodes[apply.NodeOf(o)] = true
		}
	}
	delete(nodes, "")
	return nodes, nil
}
