package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/report"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/metrics"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/webhook"
)

// writeMetrics writes what each program registers.
func writeMetrics(out io.Writer) error {
	_, _ = fmt.Fprint(out, `## Metrics

Both programs also serve metrics of the Go runtime (`+"`go_*`, `process_*`"+`). The
manager also serves those of controller-runtime and client-go
(`+"`controller_runtime_*`, `workqueue_*`, `rest_client_*`, `leader_election_*`, `certwatcher_*`"+`).

`)
	for _, program := range []struct {
		name     string
		register func(prometheus.Registerer)
	}{
		{"manager", func(r prometheus.Registerer) {
			metrics.New(r)
			webhook.NewMetrics(r)
		}},
		{"agent", func(r prometheus.Registerer) {
			agent.NewMetrics(r, &kernel.Mirror{})
			report.NewVRFs(r, logr.Discard(), func() {})
			report.NewEVPN(r, logr.Discard(), func() {})
			report.NewVTEPs(r, logr.Discard(), func() {})
		}},
	} {
		var found recorder
		program.register(&found)
		if found.err != nil {
			return found.err
		}
		slices.SortFunc(found.metrics, func(a, b metric) int { return strings.Compare(a.name, b.name) })
		_, _ = fmt.Fprintf(out, "### Of the %s\n\n| metric | type | labels | text |\n|---|---|---|---|\n", program.name)
		for _, m := range found.metrics {
			labels := ""
			if len(m.labels) > 0 {
				labels = "`" + strings.Join(m.labels, "`, `") + "`"
			}
			_, _ = fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", m.name, m.kind, labels, cell(m.help))
		}
		_, _ = fmt.Fprintln(out)
	}
	return nil
}

type metric struct {
	name, kind, help string
	labels           []string
}

// recorder is a registry that remembers what was registered.
type recorder struct {
	metrics []metric
	err     error
}

var _ prometheus.Registerer = &recorder{}

func (r *recorder) Register(c prometheus.Collector) error {
	descriptions := make(chan *prometheus.Desc, 16)
	c.Describe(descriptions)
	close(descriptions)
	for d := range descriptions {
		m, err := read(d, c)
		if err != nil && r.err == nil {
			r.err = err
		}
		r.metrics = append(r.metrics, m)
	}
	return nil
}

func (r *recorder) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = r.Register(c)
	}
}

func (r *recorder) Unregister(prometheus.Collector) bool { return false }

// description is how a Desc prints itself, which is all that it tells.
var description = regexp.MustCompile(`^Desc\{fqName: (".*"), help: (".*"), unit: ".*", constLabels: \{\}, variableLabels: \{(.*)\}\}$`)

func read(d *prometheus.Desc, c prometheus.Collector) (m metric, err error) {
	parts := description.FindStringSubmatch(d.String())
	if parts == nil {
		return m, fmt.Errorf("cannot read the metric %s", d)
	}
	if m.name, err = strconv.Unquote(parts[1]); err != nil {
		return m, err
	}
	if m.help, err = strconv.Unquote(parts[2]); err != nil {
		return m, err
	}
	if m.help == "" {
		return m, fmt.Errorf("the metric %s has no help", m.name)
	}
	if parts[3] != "" {
		m.labels = strings.Split(parts[3], ",")
	}
	if m.kind = kindOf(c); m.kind == "" {
		return m, fmt.Errorf("the metric %s is a %T, which this generator doesn't know", m.name, c)
	}
	return m, nil
}

// kindOf tells the type of a metric: of a vector by its Go type, of a metric
// without labels by what it would serve.
func kindOf(c prometheus.Collector) string {
	switch c := c.(type) {
	case *prometheus.GaugeVec:
		return "gauge"
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.HistogramVec:
		return "histogram"
	case prometheus.Metric:
		var sample dto.Metric
		switch err := c.Write(&sample); {
		case err != nil:
		case sample.Gauge != nil:
			return "gauge"
		case sample.Counter != nil:
			return "counter"
		case sample.Histogram != nil:
			return "histogram"
		}
	}
	return ""
}

// cell makes a text fit into a table.
func cell(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	// What looks like a tag would vanish.
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;").Replace(text)
}
