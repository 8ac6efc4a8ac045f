package apply

import (
	"context"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
)

// Admission finds the RouteAdvertisements objects whose part of a node's
// objects is refused.
type Admission struct {
	// Contributors are the names of the RouteAdvertisements, oldest first.
	Contributors []string
	// RefusedBefore are those that were refused before, with the reason.
	RefusedBefore map[string]error
	// Render renders the node's objects without some of the contributors.
	Render func(without map[string]bool) []*frrk8sv1beta1.FRRConfiguration
	// Try reports whether the API server would take objects; Applier.Try.
	Try func(context.Context, []*frrk8sv1beta1.FRRConfiguration) error
}

// Run leaves contributors out until the rest is taken. It tries first without
// those refused before, which is enough while nothing new is wrong. Otherwise it adds
// one contributor at a time and keeps those that are taken, so that of two
// that exclude each other the older one wins. It returns an error if something
// other than a refusal comes back; then nothing is known.
func (b *Admission) Run(ctx context.Context) (kept []string, refused map[string]error, err error) {
	if kept, refused = b.withoutRefused(); len(refused) > 0 {
		err := b.Try(ctx, b.Render(keysOf(refused)))
		if err == nil {
			return kept, refused, nil
		}
		if !IsRefused(err) {
			return nil, nil, err
		}
	}
	without := make(map[string]bool, len(b.Contributors))
	for _, name := range b.Contributors {
		without[name] = true
	}
	kept, refused = nil, map[string]error{}
	for _, name := range b.Contributors {
		delete(without, name)
		err := b.Try(ctx, b.Render(without))
		switch {
		case err == nil:
			kept = append(kept, name)
		case IsRefused(err):
			refused[name] = err
			without[name] = true
		default:
			return nil, nil, err
		}
	}
	return kept, refused, nil
}

func (b *Admission) withoutRefused() (kept []string, refused map[string]error) {
	refused = map[string]error{}
	for _, name := range b.Contributors {
		if reason, found := b.RefusedBefore[name]; found {
			refused[name] = reason
		} else {
			kept = append(kept, name)
		}
	}
	return kept, refused
}

func keysOf(m map[string]error) map[string]bool {
	keys := make(map[string]bool, len(m))
	for key := range m {
		keys[key] = true
	}
	return keys
}
