package apply

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// Applier writes generated objects. It is safe for concurrent use, but not for
// the same node at the same time.
type Applier struct {
	client client.Client
	memory *pendingWrites
	// networks is the memory of NodeNetworks.
	networks *pendingWrites
	now      func() time.Time
}

// NewApplier returns an Applier that writes with the client and takes the time
// of writes from now.
func NewApplier(c client.Client, now func() time.Time) *Applier {
	return &Applier{client: c, memory: newPendingWrites(), networks: newPendingWrites(), now: now}
}

// Result is what Node did.
type Result struct {
	Written, Deleted, Unchanged int
	// Altered are objects that the API server stored differently from what was
	// sent: its CRD is older than the operator and lacks fields, or a webhook
	// changed them.
	Altered []types.NamespacedName
}

// Node brings the node's objects to what is desired. live are all objects that
// IndexByNode files under the node. What differs is written first and what is
// left over deleted after that, so that nothing that moves between objects is
// withdrawn; in a namespace where a write failed nothing is deleted at all.
// The error is made of Errors, one per object that failed; the others were
// written.
func (a *Applier) Node(ctx context.Context, node string, desired []*frrk8sv1beta1.FRRConfiguration, live []LiveObject) (Result, error) {
	return a.NodeBut(ctx, node, desired, live, func(LiveObject) bool { return false })
}

// NodeBut is Node, but for leftovers that keep holds for: they stay.
func (a *Applier) NodeBut(ctx context.Context, node string, desired []*frrk8sv1beta1.FRRConfiguration, live []LiveObject, keep func(LiveObject) bool) (Result, error) {
	var result Result
	var failures []error
	view := a.view(node, live)
	wanted := make(map[types.NamespacedName]bool, len(desired))
	failed := map[string]bool{}
	for _, o := range desired {
		key := client.ObjectKeyFromObject(o)
		wanted[key] = true
		if err := a.write(ctx, node, o, view, &result); err != nil {
			failed[o.Namespace] = true
			failures = append(failures, err)
		}
	}
	for _, leftover := range view.leftovers(wanted, failed) {
		if keep(leftover) {
			continue
		}
		if err := a.delete(ctx, node, leftover, &result); err != nil {
			failures = append(failures, err)
		}
	}
	return result, errors.Join(failures...)
}

// Try asks the API server whether it would take the objects, without writing
// them, up to the first one that it won't. The error is an Error.
func (a *Applier) Try(ctx context.Context, objects []*frrk8sv1beta1.FRRConfiguration) error {
	for _, o := range objects {
		if _, err := a.send(ctx, o, client.DryRunAll); err != nil {
			return err
		}
	}
	return nil
}

// Seen has to be called for every object that a watch shows, before the cache
// is read for it. It reports whether that is just the echo of an own write,
// for which nothing has to be done.
func (a *Applier) Seen(o *frrk8sv1beta1.FRRConfiguration) bool {
	return a.memory.saw(NodeOf(o), Live(o))
}

// Gone has to be called for every object that a watch shows as deleted. It
// reports whether that is just the echo of an own deletion.
func (a *Applier) Gone(o *frrk8sv1beta1.FRRConfiguration) bool {
	return a.memory.sawGone(NodeOf(o), Live(o))
}

// Current is what there is of the node's objects: live, which the cache shows, after own
// writes that it can't show yet.
func (a *Applier) Current(node string, live []LiveObject) []LiveObject {
	return slices.SortedFunc(maps.Values(a.view(node, live).current), byName)
}

// Overdue returns the nodes with writes that no watch has shown for the given
// time, and forgets those writes. A watch may never show them: an object that
// is made and deleted while the watch is down. Such nodes have to be looked at
// again.
func (a *Applier) Overdue(after time.Duration) []string {
	before := a.now().Add(-after)
	nodes := append(a.memory.overdue(before), a.networks.overdue(before)...)
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// view is what there is of a node's objects: as the cache shows it, and as it
// must be after own writes that the cache can't show yet.
type view struct {
	cached, current map[types.NamespacedName]LiveObject
}

func (a *Applier) view(node string, live []LiveObject) view {
	v := view{cached: make(map[types.NamespacedName]LiveObject, len(live))}
	for _, l := range live {
		v.cached[l.NamespacedName] = l
	}
	v.current = maps.Clone(v.cached)
	a.memory.correct(node, v.current)
	return v
}

func (a *Applier) write(ctx context.Context, node string, o *frrk8sv1beta1.FRRConfiguration, v view, result *Result) error {
	key := client.ObjectKeyFromObject(o)
	before, exists := v.current[key]
	if exists && !before.Owned {
		return &Error{Kind: NotOurs, Object: key}
	}
	hash := render.Hash(o)
	if exists {
		if same, altered := a.memory.same(before, hash); same {
			result.Unchanged++
			if altered {
				result.Altered = append(result.Altered, key)
			}
			return nil
		}
	}
	after, err := a.send(ctx, o)
	if err != nil {
		return err
	}
	result.Written++
	if a.memory.noteAnswer(key, hash, after.Hash) {
		result.Altered = append(result.Altered, key)
	}
	a.memory.remember(node, key, write{at: a.now(), shown: v.cached[key].UID, stored: &after})
	return nil
}

func (a *Applier) send(ctx context.Context, o *frrk8sv1beta1.FRRConfiguration, options ...client.ApplyOption) (LiveObject, error) {
	s := newSent(o)
	options = append(options, client.FieldOwner(model.FieldManager), client.ForceOwnership)
	if err := a.client.Apply(ctx, s, options...); err != nil {
		return LiveObject{}, newError(client.ObjectKeyFromObject(o), err)
	}
	return Live(s.answer()), nil
}

// leftovers are the owned objects that are no longer wanted, in order.
func (v view) leftovers(wanted map[types.NamespacedName]bool, failed map[string]bool) []LiveObject {
	var out []LiveObject
	for key, live := range v.current {
		if live.Owned && !live.Deleting && !wanted[key] && !failed[key.Namespace] {
			out = append(out, live)
		}
	}
	slices.SortFunc(out, byName)
	return out
}

func byName(x, y LiveObject) int {
	return cmp.Or(cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
}

// delete removes the very object that was looked at: if it was changed or replaced
// since, the preconditions fail.
func (a *Applier) delete(ctx context.Context, node string, live LiveObject, result *Result) error {
	o := &frrk8sv1beta1.FRRConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: live.Namespace, Name: live.Name}}
	err := a.client.Delete(ctx, o, client.Preconditions{UID: &live.UID, ResourceVersion: &live.ResourceVersion})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return newError(live.NamespacedName, err)
	}
	result.Deleted++
	a.memory.remember(node, live.NamespacedName, write{at: a.now(), deleted: &live})
	return nil
}
