package manager_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/objects"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/metrics"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// instance is a running manager.
type instance struct {
	writes *ledger
	stop   func()
}

func slogTo(w io.Writer) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
}

func defaultOptions() controller.Options {
	return controller.Options{
		Settings:     model.Settings{Managed: model.ManagedRouting{ASN: 64600, Namespace: objects.FRRNamespace}},
		DefaultNAD:   types.NamespacedName{Namespace: ovnNamespace, Name: "default"},
		Workers:      4,
		StatusPace:   100 * time.Millisecond,
		LookForKinds: 100 * time.Millisecond,
	}
}

// start starts a manager with the operator's rights and waits until it is
// ready. It ends with the test, or when it is stopped.
func start(user *rest.Config, adjust ...func(*controller.Options)) *instance {
	GinkgoHelper()
	options := defaultOptions()
	for _, a := range adjust {
		a(&options)
	}
	writes := &ledger{}
	config := rest.CopyConfig(user)
	config.Wrap(writes.watch)
	manager, err := ctrl.NewManager(config, managerOptions())
	Expect(err).NotTo(HaveOccurred())
	ready, err := controller.Setup(manager, options)
	Expect(err).NotTo(HaveOccurred())

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		Eventually(ended).Should(Receive(BeNil()), "the manager's end")
	})
	DeferCleanup(stop)
	request := httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody)
	Eventually(func() error { return ready(request) }).Should(Succeed())
	return &instance{writes: writes, stop: stop}
}

func managerOptions() ctrl.Options {
	// Several managers run in this process one after the other.
	skip := true
	return ctrl.Options{
		Scheme:                 controller.Scheme(),
		Cache:                  controller.CacheOptions(),
		Metrics:                metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		Controller:             config.Controller{SkipNameValidation: &skip},
	}
}

// ledger records the writes that a manager sends.
type ledger struct {
	mu      sync.Mutex
	entries []write
}

type write struct {
	what string
	path string
	code int
}

func (l *ledger) watch(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		verb := metrics.Verb(request)
		resource := metrics.Resource(request.URL.Path)
		response, err := next.RoundTrip(request)
		if verb == "" || resource == "leases" || resource == "events" {
			return response, err
		}
		if request.URL.Query().Has("dryRun") {
			verb = "try"
		}
		entry := write{what: verb + " " + resource, path: request.URL.Path}
		if response != nil {
			entry.code = response.StatusCode
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.entries = append(l.entries, entry)
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// counts are the writes since the last reset, by verb and resource.
func (l *ledger) counts() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := map[string]int{}
	for _, e := range l.entries {
		if !strings.HasSuffix(e.what, " nodenetworks") {
			counts[e.what]++
		}
	}
	return counts
}

// ofNetworks counts the writes of NodeNetworks since the last reset, which follow
// from what else is written.
func (l *ledger) ofNetworks() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.entries {
		if strings.HasSuffix(e.what, " nodenetworks") {
			n++
		}
	}
	return n
}

// rejected are the writes since the last reset that failed.
func (l *ledger) rejected() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.entries {
		if e.code >= http.StatusBadRequest {
			n++
		}
	}
	return n
}

func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

// String shows the writes in failure messages.
func (l *ledger) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := ""
	for _, e := range l.entries {
		text += fmt.Sprintf("%s %s: %d\n", e.what, e.path, e.code)
	}
	return text
}

const (
	applyConfig  = "apply frrconfigurations"
	deleteConfig = "delete frrconfigurations"
	applyStatus  = "apply routeadvertisements/status"
	patchNAD     = "patch network-attachment-definitions"
)

// expect waits until the manager has written this, and sees that it writes no
// more. Then it starts to count anew. On a slow machine a status may take two
// writes where one would do: an object is accepted before all nodes are written.
func (i *instance) expect(want map[string]int) {
	GinkgoHelper()
	if want == nil {
		want = map[string]int{}
	}
	counts := func() map[string]int {
		got := i.writes.counts()
		if statuses := want[applyStatus]; got[applyStatus] > statuses && got[applyStatus] <= 2*statuses {
			got[applyStatus] = statuses
		}
		return got
	}
	explain := func() string { return "the writes were\n" + i.writes.String() }
	Eventually(counts).Should(Equal(want), explain)
	Consistently(counts).Should(Equal(want), explain)
	i.writes.reset()
}

// settle waits until the manager has written something and then nothing more
// for a while, and starts to count anew.
func (i *instance) settle() {
	GinkgoHelper()
	var last map[string]int
	Eventually(func(g Gomega) {
		last = i.writes.counts()
		g.Consistently(i.writes.counts).Should(Equal(last))
	}).Should(Succeed())
	i.writes.reset()
}
