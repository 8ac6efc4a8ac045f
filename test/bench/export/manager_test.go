package export

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

// ticksPerSecond is the kernel's USER_HZ, which is 100 on every architecture
// that Go runs on.
const ticksPerSecond = 100

// manager is the manager as a process.
type manager struct {
	command *exec.Cmd
	metrics string
	log     *bytes.Buffer
}

// buildManager builds the binary once for all benchmarks.
func buildManager(b *testing.B) string {
	b.Helper()
	root, err := controlplane.RepositoryRoot()
	if err != nil {
		b.Fatal(err)
	}
	binary := filepath.Join(b.TempDir(), "manager")
	build := exec.CommandContext(b.Context(), "go", "build", "-o", binary, "./cmd/manager")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building the manager: %v\n%s", err, out)
	}
	return binary
}

func startManager(b *testing.B, binary, kubeconfig string) *manager {
	b.Helper()
	m := &manager{metrics: controlplane.FreeAddress(b), log: &bytes.Buffer{}}
	m.command = exec.Command(binary,
		"--kubeconfig="+kubeconfig, "--leader-elect=false",
		"--metrics-bind-address="+m.metrics, "--metrics-secure=false", "--health-probe-bind-address=0")
	m.command.Stdout, m.command.Stderr = m.log, m.log
	if err := m.command.Start(); err != nil {
		b.Fatal(err)
	}
	return m
}

func (m *manager) stop(b *testing.B) {
	b.Helper()
	_ = m.command.Process.Signal(syscall.SIGTERM)
	if err := m.command.Wait(); err != nil {
		b.Errorf("the manager ended with %v:\n%s", err, m.log)
	}
}

// cpu is the process's CPU time so far, user and system.
func (m *manager) cpu(b *testing.B) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.command.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	// Fields after the command's name in parentheses; see proc(5).
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

// figures are what the manager tells of itself.
type figures struct {
	// writes of FRRConfigurations, and those of them that were not taken, by
	// verb and HTTP status code.
	writes   float64
	failures map[string]float64
	// statuses are writes of RouteAdvertisements' status.
	statuses  float64
	allocated float64
	heap      float64
}

func (m *manager) figures(b *testing.B) figures {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.metrics+"/metrics", nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatalf("%v\n%s", err, m.log)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	out := figures{failures: map[string]float64{}}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			switch name {
			case "ovnbgp_api_writes_total":
				labels := map[string]string{}
				for _, label := range metric.GetLabel() {
					labels[label.GetName()] = label.GetValue()
				}
				if strings.HasPrefix(labels["resource"], "routeadvertisements") {
					out.statuses += metric.GetCounter().GetValue()
				}
				if !strings.HasPrefix(labels["resource"], "frrconfigurations") {
					continue
				}
				out.writes += metric.GetCounter().GetValue()
				if !strings.HasPrefix(labels["code"], "2") {
					out.failures[labels["verb"]+" "+labels["code"]] += metric.GetCounter().GetValue()
				}
			case "go_memstats_alloc_bytes_total":
				out.allocated += metric.GetCounter().GetValue()
			case "go_gc_heap_live_bytes":
				out.heap += metric.GetGauge().GetValue()
			}
		}
	}
	return out
}

// writes are the objects written so far, 0 while the manager doesn't answer.
func (m *manager) writes(b *testing.B) float64 {
	b.Helper()
	connection, err := new(net.Dialer).DialContext(b.Context(), "tcp", m.metrics)
	if err != nil {
		return 0
	}
	_ = connection.Close()
	return m.figures(b).writes
}
