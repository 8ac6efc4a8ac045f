package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// rawNodes counts, when it is asked, the nodes that are to have raw text.
type rawNodes struct {
	description *prometheus.Desc
	count       func() map[model.RawPermission]int
}

// rawStates are the values of the label.
var rawStates = map[model.RawPermission]string{model.RawOn: "on", model.RawWaiting: "waiting", model.RawTakenOff: "taken_off"}

// CountRaw adds the nodes that are to have raw text, which count counts. It is for
// managers with --frr-raw.
func (m *Metrics) CountRaw(count func() map[model.RawPermission]int) {
	if m == nil {
		return
	}
	m.registry.MustRegister(&rawNodes{
		description: prometheus.NewDesc("ovnbgp_raw_nodes",
			"Nodes that are to have what frr-k8s' API has no fields for, by whether they have it: on, waiting for another node's FRR to take it first, taken_off because their FRR did not take it. Only with --frr-raw.",
			[]string{"state"}, nil),
		count: count,
	})
}

// Describe sends the metric's description.
func (r *rawNodes) Describe(out chan<- *prometheus.Desc) { out <- r.description }

// Collect sends the counts.
func (r *rawNodes) Collect(out chan<- prometheus.Metric) {
	counts := r.count()
	for permission, state := range rawStates {
		out <- prometheus.MustNewConstMetric(r.description, prometheus.GaugeValue, float64(counts[permission]), state)
	}
}
