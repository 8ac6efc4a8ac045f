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

// NewMetrics registers the figures.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	f := &Metrics{reviews: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ovnbgp_admission_reviews_total",
		Help: "Admission reviews by kind and outcome: allowed, warned, denied, unchecked because the operator could not tell, stranger where nothing shows that the API server asks, or withheld from users who may not read what it would name.",
	}, []string{"kind", "outcome"})}
	registry.MustRegister(f.reviews)
	return f
}

func (f *Metrics) count(kind, outcome string) {
	if f != nil {
		f.reviews.WithLabelValues(kind, outcome).Inc()
	}
}
