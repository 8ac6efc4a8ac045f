package agent

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
)

// Metrics are the agent's metrics.
type Metrics struct {
	network    *prometheus.GaugeVec
	skipped    *prometheus.GaugeVec
	overLimit  *prometheus.GaugeVec
	uneven     *prometheus.GaugeVec
	rows       *prometheus.GaugeVec
	aside      *prometheus.GaugeVec
	duration   prometheus.Histogram
	convergent prometheus.Histogram
	written    *prometheus.CounterVec
	failures   *prometheus.CounterVec
	repairs    *prometheus.CounterVec
	snat       *prometheus.CounterVec
	connected  prometheus.Gauge
	sessions   prometheus.Counter

	mu sync.Mutex
	// seen are the reasons that a network has had, which go back to zero.
	seen map[string]map[string]bool
}

// NewMetrics registers the metrics; a nil registry keeps them to itself.
func NewMetrics(registry prometheus.Registerer, mirror *kernel.Mirror) *Metrics {
	name := func(n string) string { return "ovnbgp_agent_" + n }
	perNetwork := func(n, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name(n), Help: help}, append([]string{"network"}, labels...))
	}
	counted := func(n, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name(n), Help: help}, []string{"network"})
	}
	f := &Metrics{
		network:   perNetwork("routes", "Routes by network: learned by the kernel over BGP, imported into OVN.", "state"),
		skipped:   perNetwork("routes_skipped", "Routes that the kernel has and the gateway router does not, by reason.", "reason"),
		overLimit: perNetwork("over_limit", "1 if --max-routes-per-vrf keeps routes from being imported."),
		uneven:    perNetwork("routes_uneven", "Imported routes whose next hops have weights; OVN uses all next hops alike."),
		rows:      perNetwork("rows", "The agent's rows on the gateway router: one per route and next hop."),
		aside:     perNetwork("synced", "1 if the gateway router has every route that belongs there."),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{Name: name("sync_duration_seconds"),
			Help: "Duration of one sync of one network, including transactions.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}),
		convergent: prometheus.NewHistogram(prometheus.HistogramOpts{Name: name("event_to_commit_seconds"),
			Help: "Time from the first netlink event to the committed transaction.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16)}),
		written:   counted("rows_written_total", "Rows inserted, updated and removed in OVN."),
		failures:  counted("sync_failures_total", "Syncs that ended with an error."),
		repairs:   counted("repairs_total", "The agent's rows that something else had changed or removed."),
		snat:      counted("snat_changes_total", "SNAT rows that the agent limited to destinations that are nodes, or reset."),
		connected: prometheus.NewGauge(prometheus.GaugeOpts{Name: name("northbound_connected"), Help: "1 while there is a session with the OVN Northbound database."}),
		sessions:  prometheus.NewCounter(prometheus.CounterOpts{Name: name("northbound_sessions_total"), Help: "Sessions with the OVN Northbound database."}),
		seen:      map[string]map[string]bool{},
	}
	if registry == nil {
		return f
	}
	registry.MustRegister(f.network, f.skipped, f.overLimit, f.uneven, f.rows, f.aside, f.duration, f.convergent, f.written,
		f.failures, f.repairs, f.snat, f.connected, f.sessions)
	counter := func(n, help string, value func() uint64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name(n), Help: help},
			func() float64 { return float64(value()) }))
	}
	counters := &mirror.Counters
	counter("netlink_events_total", "Events received from the kernel.", counters.Events.Load)
	counter("netlink_overflows_total", "Times that the agent lost events because they came too fast.", counters.Overflows.Load)
	counter("netlink_interrupted_dumps_total", "Listings that were inconsistent because routes changed meanwhile; the agent repeats them.", counters.Interrupted.Load)
	counter("drift_total", "Routes that a periodic listing found changed without an event.", counters.Drift.Load)
	return f
}

func (f *Metrics) synced(network string, took time.Duration, written int, err error) {
	f.duration.Observe(took.Seconds())
	f.written.WithLabelValues(network).Add(float64(written))
	if err != nil {
		f.failures.WithLabelValues(network).Inc()
	}
}

func (f *Metrics) latency(d time.Duration) { f.convergent.Observe(d.Seconds()) }

func (f *Metrics) snatted(network string, rows int) {
	f.snat.WithLabelValues(network).Add(float64(rows))
}

func (f *Metrics) repaired(network string) { f.repairs.WithLabelValues(network).Inc() }

func (f *Metrics) routes(s NetworkState) {
	f.network.WithLabelValues(s.Network, "learned").Set(float64(s.Learned))
	f.network.WithLabelValues(s.Network, "imported").Set(float64(s.Imported))
	f.overLimit.WithLabelValues(s.Network).Set(number(s.Held > 0))
	f.uneven.WithLabelValues(s.Network).Set(float64(s.Uneven))
	f.rows.WithLabelValues(s.Network).Set(float64(s.Rows))
	f.aside.WithLabelValues(s.Network).Set(number(s.Reason == ReasonSynced))
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen[s.Network]
	if seen == nil {
		seen = map[string]bool{}
		f.seen[s.Network] = seen
	}
	for reason := range s.Skipped {
		seen[string(reason)] = true
	}
	for reason := range seen {
		f.skipped.WithLabelValues(s.Network, reason).Set(0)
	}
	for reason, n := range s.Skipped {
		f.skipped.WithLabelValues(s.Network, string(reason)).Set(float64(n))
	}
}

// forget removes the metrics of a network that is gone.
func (f *Metrics) forget(network string) {
	match := prometheus.Labels{"network": network}
	for _, vector := range []*prometheus.GaugeVec{f.network, f.skipped, f.overLimit, f.uneven, f.rows, f.aside} {
		vector.DeletePartialMatch(match)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.seen, network)
}

// connection notes that a session began, or ended with a cause.
func (f *Metrics) connection(cause error) {
	f.connected.Set(number(cause == nil))
	if cause == nil {
		f.sessions.Inc()
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
