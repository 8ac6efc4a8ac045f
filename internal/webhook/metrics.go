package webhook

import "github.com/prometheus/client_golang/prometheus"

// The outcomes of reviews.
const (
	outcomeAllowed   = "allowed"
	outcomeWarned    = "warned"
	outcomeDenied    = "denied"
	outcomeUnchecked = "unchecked"
	outcomeStranger  = "stranger"
	outcomeWithheld  = "withheld"
)

// Metrics count reviews. A nil *Metrics counts nothing.
type Metrics struct {
	reviews *prometheus.CounterVec
}

// NewMetrics registers the metrics.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	f := &Metrics{reviews: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ovnbgp_admission_reviews_total",
		Help: "Admission reviews by kind and outcome: allowed; warned; denied; unchecked: the operator could not check the object; stranger: nothing proves that the API server asked; withheld: the user may not read what the answer would name.",
	}, []string{"kind", "outcome"})}
	registry.MustRegister(f.reviews)
	return f
}

func (f *Metrics) count(kind, outcome string) {
	if f != nil {
		f.reviews.WithLabelValues(kind, outcome).Inc()
	}
}
