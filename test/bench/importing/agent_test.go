package importing

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"
)

const (
	// ticksPerSecond is the kernel's USER_HZ, which is 100 on every
	// architecture that Go runs on.
	ticksPerSecond = 100

	metricsAddress = "127.0.0.1:8082"
)

// agent is the agent as a process.
type agent struct {
	command *exec.Cmd
	client  *http.Client
	log     *log
	began   time.Time
	// orders are for an agent that runAgent is.
	orders io.Writer
}

// log can be read while the process writes it.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// buildAgent builds the binary once for all sizes, as it is shipped.
func buildAgent(b *testing.B) string {
	b.Helper()
	root, err := controlplane.RepositoryRoot()
	if err != nil {
		b.Fatal(err)
	}
	binary := filepath.Join(b.TempDir(), "agent")
	build := exec.CommandContext(b.Context(), "go", "build", "-ldflags", "-s -w", "-o", binary, "./cmd/agent")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building the agent: %v\n%s", err, out)
	}
	return binary
}

// startAgent starts the agent in the node's namespace.
func (l *lab) startAgent(b *testing.B, n *node, nb *northbound) *agent {
	b.Helper()
	a := &agent{log: &log{}}
	a.client = &http.Client{Transport: &http.Transport{DialContext: n.dial, DisableKeepAlives: true}}
	// ip becomes the agent, so the process is the agent's.
	a.command = exec.Command("ip", "netns", "exec", n.Name, l.binary,
		"--node="+nodeName, "--kubeconfig="+l.kubeconfig, "--ovn-nb="+nb.Endpoint(), "--gateway-interface=gw0",
		"--cluster-subnets=10.244.0.0/16", "--service-subnets=10.96.0.0/16", "--max-routes-per-vrf=0",
		"--metrics-bind-address="+metricsAddress, "--metrics-secure=false", "--health-probe-bind-address=0")
	a.command.Stdout, a.command.Stderr = a.log, a.log
	a.began = time.Now()
	if err := a.command.Start(); err != nil {
		b.Fatal(err)
	}
	// Where the benchmark fails, nobody stops it.
	b.Cleanup(func() { _ = a.command.Process.Kill() })
	return a
}

func (a *agent) stop(b *testing.B) {
	b.Helper()
	_ = a.command.Process.Signal(syscall.SIGTERM)
	if err := a.command.Wait(); err != nil {
		b.Errorf("the agent ended with %v:\n%s", err, a.log)
	}
}

func (a *agent) file(b *testing.B, name string) string {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", a.command.Process.Pid, name))
	if err != nil {
		b.Fatalf("%v\n%s", err, a.log)
	}
	return string(text)
}

// cpu is the process's CPU time so far, user and system.
func (a *agent) cpu(b *testing.B) time.Duration {
	b.Helper()
	text := a.file(b, "stat")
	// Fields after the command's name in parentheses; see proc(5).
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	var ticks int
	for _, field := range fields[11:13] {
		ticks += number(b, field)
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

// memory is what the process occupies now, and the most that it ever did.
func (a *agent) memory(b *testing.B) (now, peak float64) {
	b.Helper()
	for line := range strings.Lines(a.file(b, "status")) {
		fields := strings.Fields(line)
		switch fields[0] {
		case "VmRSS:":
			now = float64(number(b, fields[1])) / 1024
		case "VmHWM:":
			peak = float64(number(b, fields[1])) / 1024
		}
	}
	return now, peak
}

func number(b *testing.B, text string) int {
	b.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// figure is the sum of a metric over its labels.
func (a *agent) figure(b *testing.B, name string) float64 {
	b.Helper()
	value, err := a.ask(b.Context(), name)
	if err != nil {
		b.Fatalf("%v\n%s", err, a.log)
	}
	return value
}

func (a *agent) ask(ctx context.Context, name string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+metricsAddress+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := a.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, metric := range families[name].GetMetric() {
		total += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
	}
	return total, nil
}
