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

// Figures count reviews. A nil *Figures counts nothing.
type Figures struct {
	reviews *prometheus.CounterVec
}

// NewFigures registers the figures.
func NewFigures(registry prometheus.Registerer) *Figures {
	f := &Figures{reviews: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ovnbgp_admission_reviews_total",
		Help: "Admission reviews by kind and outcome: allowed, warned, denied, unchecked because the operator could not tell, stranger where nothing shows that the API server asks, or withheld from users who may not read what it would name.",
	}, []string{"kind", "outcome"})}
	registry.MustRegister(f.reviews)
	return f
}

func (f *Figures) count(kind, outcome string) {
	if f != nil {
		f.reviews.WithLabelValues(kind, outcome).Inc()
	}
}
