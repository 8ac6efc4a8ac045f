package nad

import (
	"context"
	"errors"
	"fmt"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Clear takes away what the operator wrote into any annotation, and counts the
// objects that had some of it. It lists, because the operator may do no more.
func Clear(ctx context.Context, c client.Client) (cleared int, err error) {
	var list nadv1.NetworkAttachmentDefinitionList
	if err := c.List(ctx, &list); err != nil {
		if meta.IsNoMatchError(err) {
			return 0, nil
		}
		return 0, err
	}
	var problems []error
	for i := range list.Items {
		object := &list.Items[i]
		if object.Annotations[annotationWritten] == "" {
			continue
		}
		changes, _ := merge(object.Annotations, nil, func(string) bool { return false })
		if err := client.IgnoreNotFound(write(ctx, c, object, changes)); err != nil {
			problems = append(problems, fmt.Errorf("NetworkAttachmentDefinition %s/%s: %w", object.Namespace, object.Name, err))
			continue
		}
		cleared++
	}
	return cleared, errors.Join(problems...)
}
