package nad

import (
	"context"
	"errors"
	"fmt"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Clear removes what the operator wrote into any annotation, and counts the objects
// that had some of it.
func Clear(ctx context.Context, c client.Client) (cleared int, err error) {
	return changeWritten(ctx, c, func(annotations map[string]string) map[string]*string {
		changes, _ := merge(annotations, nil, func(string) bool { return false })
		return changes
	})
}

// Release leaves the names that the operator wrote to the controller that keeps
// them from now on, and forgets that it wrote them.
func Release(ctx context.Context, c client.Client) (released int, err error) {
	return changeWritten(ctx, c, func(map[string]string) map[string]*string {
		return map[string]*string{annotationWritten: nil}
	})
}

// changeWritten changes every object that the operator wrote to. It lists,
// because the operator may do no more.
func changeWritten(ctx context.Context, c client.Client, change func(annotations map[string]string) map[string]*string) (changed int, err error) {
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
		if err := client.IgnoreNotFound(write(ctx, c, object, change(object.Annotations))); err != nil {
			problems = append(problems, fmt.Errorf("NetworkAttachmentDefinition %s/%s: %w", object.Namespace, object.Name, err))
			continue
		}
		changed++
	}
	return changed, errors.Join(problems...)
}
