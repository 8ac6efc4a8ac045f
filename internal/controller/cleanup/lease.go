package cleanup

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Lease is the managers' lease, and how it is taken from them.
type Lease struct {
	types.NamespacedName
	// Identity holds the lease from now on, for Hold. Managers that run meanwhile
	// stand by, so that they don't write again what is removed.
	Identity string
	Hold     time.Duration
	// Now is the clock.
	Now func() time.Time
}

// Take takes the lease and waits until the previous holder must have noticed: a
// leader that can't renew its lease ends within the lease's duration.
func (l *Lease) Take(ctx context.Context, c client.Client) error {
	before, err := l.write(ctx, c)
	if err != nil {
		return fmt.Errorf("cannot take the managers' lease %s: %w", l.NamespacedName, err)
	}
	if before.HolderIdentity == nil || *before.HolderIdentity == "" || *before.HolderIdentity == l.Identity || before.LeaseDurationSeconds == nil {
		return nil
	}
	wait := time.NewTimer(time.Duration(*before.LeaseDurationSeconds) * time.Second)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}

// write makes the lease ours and returns what it said before.
func (l *Lease) write(ctx context.Context, c client.Client) (before coordinationv1.LeaseSpec, err error) {
	for {
		var lease coordinationv1.Lease
		err = c.Get(ctx, l.NamespacedName, &lease)
		missing := apierrors.IsNotFound(err)
		if err != nil && !missing {
			return before, err
		}
		before = *lease.Spec.DeepCopy()
		now, seconds := metav1.NewMicroTime(l.Now()), int32(l.Hold/time.Second)
		lease.Namespace, lease.Name = l.Namespace, l.Name
		lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = &l.Identity, &seconds
		lease.Spec.AcquireTime, lease.Spec.RenewTime = &now, &now
		if missing {
			err = c.Create(ctx, &lease)
		} else {
			err = c.Update(ctx, &lease)
		}
		// A leader renews every few seconds, and may have been first.
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			return before, err
		}
	}
}
