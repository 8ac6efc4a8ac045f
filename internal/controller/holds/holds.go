package holds

import (
	"context"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/inplace"
)

// Remover looks for holds again and again.
type Remover struct {
	// Reader reads from the cache only.
	Reader client.Reader
	Writer client.Writer
	// Every is how often to look.
	Every time.Duration
	Now   func() time.Time
}

// Start looks until ctx ends.
func (r *Remover) Start(ctx context.Context) error {
	ticker := time.NewTicker(r.Every)
	defer ticker.Stop()
	for {
		if err := r.remove(ctx); err != nil {
			log.FromContext(ctx).Error(err, "Cannot remove what a killed kubectl ra apply left; trying again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (r *Remover) remove(ctx context.Context) error {
	var list frrk8sv1beta1.FRRConfigurationList
	if err := r.Reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	for _, hold := range inplace.LeftOver(list.Items, r.Now()) {
		// One that another change took over meanwhile is another version.
		err := r.Writer.Delete(ctx, hold.DeepCopy(), client.Preconditions{UID: &hold.UID, ResourceVersion: &hold.ResourceVersion})
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		log.FromContext(ctx).Info("Removed what a killed kubectl ra apply left, so that frr-k8s configures its nodes again",
			"hold", client.ObjectKeyFromObject(hold))
	}
	return nil
}
