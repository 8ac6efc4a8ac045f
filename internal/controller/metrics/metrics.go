package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Metrics are the operator's own metrics. A nil *Metrics counts nothing.
type Metrics struct {
	nodes   *prometheus.GaugeVec
	writes  *prometheus.CounterVec
	refused *prometheus.CounterVec
	raw     *prometheus.GaugeVec
	compile prometheus.Histogram
	plan    prometheus.Histogram
}

// New registers the metrics.
func New(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		nodes: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ovnbgp_route_advertisements_nodes",
			Help: "Nodes of a RouteAdvertisements object by how far it got there: selected, rendered, blocked, no_template, idle, configured.",
		}, []string{"route_advertisements", "state"}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ovnbgp_api_writes_total",
			Help: "Write requests to the API server, by verb, resource and HTTP status code; code 0 means no answer.",
		}, []string{"verb", "resource", "code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ovnbgp_refused_total",
			Help: "Generated objects that the API server or a webhook refused, by the RouteAdvertisements object at fault.",
		}, []string{"route_advertisements"}),
		raw: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ovnbgp_raw_nodes",
			Help: "Nodes that are to have what frr-k8s' API has no fields for, by whether they have it: on; waiting, mostly for another node's FRR to take it first; taken_off, because their FRR did not take it. Only with --frr-raw.",
		}, []string{"state"}),
		compile: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "ovnbgp_compile_duration_seconds",
			Help:    "Time to read the cluster's objects and to compile what all nodes share.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
		plan: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "ovnbgp_node_plan_duration_seconds",
			Help:    "Time to plan and render one node.",
			Buckets: prometheus.ExponentialBuckets(0.00001, 4, 10),
		}),
	}
	registry.MustRegister(m.nodes, m.writes, m.refused, m.raw, m.compile, m.plan)
	return m
}

// Tally sets the node counts of a RouteAdvertisements object.
func (m *Metrics) Tally(ra string, t model.Tally) {
	if m == nil {
		return
	}
	for state, count := range map[string]int{
		"selected": t.Selected, "rendered": t.Rendered, "blocked": t.Blocked,
		"no_template": t.NoTemplate, "idle": t.Idle, "configured": t.Configured,
	} {
		m.nodes.WithLabelValues(ra, state).Set(float64(count))
	}
}

// Forget drops the metrics of a deleted RouteAdvertisements object.
func (m *Metrics) Forget(ra string) {
	if m == nil {
		return
	}
	match := prometheus.Labels{"route_advertisements": ra}
	m.nodes.DeletePartialMatch(match)
	m.refused.DeletePartialMatch(match)
}

// Refused counts a refusal that was traced to a RouteAdvertisements object.
func (m *Metrics) Refused(ra string) {
	if m != nil {
		m.refused.WithLabelValues(ra).Inc()
	}
}

// rawStates are the values of the label.
var rawStates = map[model.RawPermission]string{model.RawOn: "on", model.RawWaiting: "waiting", model.RawTakenOff: "taken_off"}

// Raw sets the counts of nodes that are to have raw text.
func (m *Metrics) Raw(counts map[model.RawPermission]int) {
	if m == nil {
		return
	}
	for permission, state := range rawStates {
		m.raw.WithLabelValues(state).Set(float64(counts[permission]))
	}
}

// Compiled records how long reading and compiling took.
func (m *Metrics) Compiled(took time.Duration) {
	if m != nil {
		m.compile.Observe(took.Seconds())
	}
}

// Planned records how long planning and rendering one node took.
func (m *Metrics) Planned(took time.Duration) {
	if m != nil {
		m.plan.Observe(took.Seconds())
	}
}
