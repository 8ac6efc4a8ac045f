package controller

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/metrics"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Options are the controllers' settings.
type Options struct {
	Settings model.Settings
	// DefaultNAD names the default network's NetworkAttachmentDefinition.
	DefaultNAD types.NamespacedName
	// Workers is how many nodes are worked on at once.
	Workers int
	// ObserveOnly plans and reports, and writes nothing but conditions.
	ObserveOnly bool
	// LookForKinds is how often missing optional kinds are looked for; 0 for
	// every half minute.
	LookForKinds time.Duration
	// LookForHolds is how often holds that are left over are looked for; 0 for every
	// quarter of a minute.
	LookForHolds time.Duration
	// StatusPace is the least time between two writes of an object's status;
	// 0 for a second.
	StatusPace time.Duration
	// DrainReturning is how long a node goes on draining when it shall no longer; 0 for
	// half a minute.
	DrainReturning time.Duration
	// Reads, where set, is given what the controllers read from: the cache,
	// in which an optional kind is missing until it is served.
	Reads func(client.Reader)
	// Metrics may be nil.
	Metrics *metrics.Metrics
}

func (o Options) withDefaults() Options {
	if o.LookForKinds == 0 {
		o.LookForKinds = 30 * time.Second
	}
	if o.LookForHolds == 0 {
		o.LookForHolds = 15 * time.Second
	}
	if o.StatusPace == 0 {
		o.StatusPace = time.Second
	}
	return o
}
