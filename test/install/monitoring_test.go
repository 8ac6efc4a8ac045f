package install

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/report"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/metrics"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/webhook"
)

const monitoring = "config/monitoring"

// prometheusTool returns the path of a program that `make prometheus` builds.
func prometheusTool(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(root(t), ".cache", "prometheus", "bin", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CONTROLPLANE_REQUIRED") != "" {
			t.Fatalf("%v; run make prometheus", err)
		}
		t.Skipf("SKIPPED, NOT PASSED: alerts and dashboard are not checked without %s: %v; run `make prometheus` (minutes, once)", name, err)
	}
	return path
}

// The rules as the tests read them, without the library that judges them.
type rules struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []struct {
			Alert       string            `json:"alert"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"rules"`
	} `json:"groups"`
}

func TestMonitoringPrometheusRuleHasTheAlerts(t *testing.T) {
	folder := filepath.Join(root(t), monitoring)
	_, groups, found := strings.Cut(file(t, filepath.Join(folder, "alerts.yaml")), "\ngroups:\n")
	if !found {
		t.Fatal("alerts.yaml has no groups")
	}
	compare(t, filepath.Join(folder, "prometheusrule.yaml"), `# Made of alerts.yaml by go test ./test/install -run Monitoring -update.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ovn-bgp-operator
  namespace: ovn-bgp-operator-system
  labels:
    app.kubernetes.io/name: ovn-bgp-operator
spec:
`+indented("groups:\n"+groups))
}

func indented(text string) string {
	return regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(text, "  $1")
}

// TestMonitoringAlerts has promtool tell whether the alerts fire when they
// should. Its stories have to have every one of them.
func TestMonitoringAlerts(t *testing.T) {
	folder := filepath.Join(root(t), monitoring)
	t.Log(must(t, prometheusTool(t, "promtool"), "test", "rules", filepath.Join(folder, "alerts_test.yaml")))
	stories := file(t, filepath.Join(folder, "alerts_test.yaml"))
	var all rules
	if err := yaml.Unmarshal([]byte(file(t, filepath.Join(folder, "alerts.yaml"))), &all); err != nil {
		t.Fatal(err)
	}
	alerts := 0
	for _, group := range all.Groups {
		for _, rule := range group.Rules {
			alerts++
			for _, annotation := range []string{"summary", "description", "runbook"} {
				if rule.Annotations[annotation] == "" {
					t.Errorf("%s has no %s", rule.Alert, annotation)
				}
			}
			if !slices.Contains([]string{"critical", "warning", "info"}, rule.Labels["severity"]) {
				t.Errorf("%s has severity %q", rule.Alert, rule.Labels["severity"])
			}
			fires := `labels: 'ALERTS{alertname="` + rule.Alert + `", alertstate="firing", severity="` + rule.Labels["severity"]
			if !strings.Contains(stories, fires) {
				t.Errorf("no story of alerts_test.yaml makes %s fire", rule.Alert)
			}
		}
	}
	t.Logf("%d alerts", alerts)
}

// metric is one that is served: its help and the names of its labels.
type metric struct {
	help   string
	labels map[string]bool
}

// registered takes the place of a registry, and tells what was registered.
type registered map[string]metric

var description = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "(.*?)", (?:unit: "[^"]*", )?constLabels: \{\}, variableLabels: \{([^}]*)\}\}$`)

// Register is part of prometheus.Registerer.
func (r registered) Register(c prometheus.Collector) error {
	found := make(chan *prometheus.Desc, 10)
	c.Describe(found)
	close(found)
	for d := range found {
		match := description.FindStringSubmatch(d.String())
		if match == nil {
			return fmt.Errorf("this test can't read %s", d)
		}
		m := metric{help: match[2], labels: map[string]bool{}}
		for label := range strings.SplitSeq(match[3], ",") {
			m.labels[label] = true
		}
		r[match[1]] = m
		switch c.(type) {
		case prometheus.Histogram, *prometheus.HistogramVec:
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				r[match[1]+suffix] = metric{help: m.help, labels: m.labels}
			}
			m.labels["le"] = true
		}
	}
	return nil
}

// MustRegister is part of prometheus.Registerer.
func (r registered) MustRegister(collectors ...prometheus.Collector) {
	for _, c := range collectors {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// Unregister is part of prometheus.Registerer.
func (registered) Unregister(prometheus.Collector) bool { return false }

// own are the metrics of manager and agent: also those that are not served
// before something happened.
func own() registered {
	r := registered{}
	metrics.New(r)
	webhook.NewMetrics(r)
	agent.NewMetrics(r, &kernel.Mirror{})
	report.NewVRFs(r, logr.Discard(), func() {})
	report.NewEVPN(r, logr.Discard(), func() {})
	report.NewVTEPs(r, logr.Discard(), func() {})
	return r
}

// TestMonitoringKnowsAllMetrics fails where metrics are registered that own
// doesn't know of.
func TestMonitoringKnowsAllMetrics(t *testing.T) {
	var files []string
	for _, folder := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root(t), folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			if strings.Contains(file(t, path), "MustRegister(") {
				name, err := filepath.Rel(root(t), path)
				files = append(files, name)
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		// Go's and the process' own.
		"cmd/agent/start.go",
		"internal/agent/metrics.go",
		"internal/agent/report/evpn.go",
		"internal/agent/report/vrfs.go",
		"internal/agent/report/vteps.go",
		"internal/controller/metrics/metrics.go",
		"internal/webhook/metrics.go",
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("files that register metrics, known (-) and found (+):\n%s", diff)
	}
	for name, m := range own() {
		if !strings.HasPrefix(name, "ovnbgp_") || m.help == "" || strings.Contains(m.help, `"`) {
			t.Errorf("metric %s has the help %q", name, m.help)
		}
	}
}

// query is what hack/prometheus/selectors reads of a dashboard or rule.
type query struct {
	Place, Expr string
	Selectors   []struct {
		Metric string
		Labels []string
		Values map[string]string
	}
	Groups []string
}

func queries(t *testing.T) []query {
	t.Helper()
	var out []query
	text := must(t, prometheusTool(t, "selectors"), filepath.Join(monitoring, "dashboard.json"), filepath.Join(monitoring, "alerts.yaml"))
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// ofTarget are the labels that scraping adds.
var ofTarget = map[string]bool{"job": true, "instance": true, "namespace": true, "pod": true, "node": true}

// asked compares what the queries ask for with what is served.
func asked(t *testing.T, served map[string]metric) {
	t.Helper()
	used := map[string]bool{}
	all := queries(t)
	for i := range all {
		q := &all[i]
		labels := map[string]bool{}
		for _, s := range q.Selectors {
			m, found := served[s.Metric]
			if s.Metric == "up" {
				// Prometheus' own, of each target.
				m, found = metric{}, true
			}
			if !found {
				t.Errorf("%s asks for %s, which nobody serves: %s", q.Place, s.Metric, q.Expr)
			}
			used[s.Metric] = true
			for label := range m.labels {
				labels[label] = true
			}
			for _, label := range s.Labels {
				if !m.labels[label] && !ofTarget[label] {
					t.Errorf("%s: %s has no label %s: %s", q.Place, s.Metric, label, q.Expr)
				}
				if value := s.Values[label]; value != "" && m.labels[label] && !regexp.MustCompile(`\b`+value+`\b`).MatchString(m.help) {
					t.Errorf("%s: the help of %s knows no %s %q: %s", q.Place, s.Metric, label, value, m.help)
				}
			}
		}
		for _, label := range q.Groups {
			if !labels[label] && !ofTarget[label] {
				t.Errorf("%s groups by %s, which no metric in it has: %s", q.Place, label, q.Expr)
			}
		}
	}
	known := 0
	for name := range own() {
		if strings.HasSuffix(name, "_bucket") || strings.HasSuffix(name, "_sum") || strings.HasSuffix(name, "_count") {
			continue
		}
		known++
		if !used[name] && !used[name+"_bucket"] {
			t.Errorf("neither the dashboard nor an alert uses %s", name)
		}
	}
	t.Logf("%d queries of %d metrics, %d of which are those of manager and agent", len(all), len(used), known)
}
