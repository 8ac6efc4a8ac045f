package metrics

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestResource(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/nodes/a":                                                  "nodes",
		"/api/v1/nodes/a/status":                                           "nodes/status",
		"/api/v1/namespaces/blue":                                          "namespaces",
		"/api/v1/namespaces/blue/status":                                   "namespaces/status",
		"/api/v1/namespaces/blue/events":                                   "events",
		"/apis/k8s.ovn.org/v1/routeadvertisements/ra/status":               "routeadvertisements/status",
		"/apis/frrk8s.metallb.io/v1beta1/namespaces/f/frrconfigurations/x": "frrconfigurations",
		"/apis/frrk8s.metallb.io/v1beta1/frrconfigurations":                "frrconfigurations",
		"/version": "",
		"/apis":    "",
		"":         "",
	} {
		if got := Resource(path); got != want {
			t.Errorf("Resource(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestCountWritesCountsWritesOnly(t *testing.T) {
	m := New(prometheus.NewRegistry())
	answer := func(code int, err error) http.RoundTripper {
		return m.CountWrites(roundTripper(func(*http.Request) (*http.Response, error) {
			if err != nil {
				return nil, err
			}
			return &http.Response{StatusCode: code, Body: http.NoBody}, nil
		}))
	}
	send := func(transport http.RoundTripper, method, contentType string) {
		request, err := http.NewRequest(method, "https://server/api/v1/nodes/a", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", contentType)
		if response, err := transport.RoundTrip(request); err == nil {
			response.Body.Close()
		}
	}
	send(answer(200, nil), http.MethodGet, "")
	send(answer(200, nil), http.MethodPatch, "application/apply-patch+yaml")
	send(answer(403, nil), http.MethodPatch, "application/merge-patch+json")
	send(answer(0, errors.New("no route to host")), http.MethodDelete, "")

	want := `
# HELP ovnbgp_api_writes_total Write requests to the API server, by verb, resource and HTTP status code; code 0 means no answer.
# TYPE ovnbgp_api_writes_total counter
ovnbgp_api_writes_total{code="0",resource="nodes",verb="delete"} 1
ovnbgp_api_writes_total{code="200",resource="nodes",verb="apply"} 1
ovnbgp_api_writes_total{code="403",resource="nodes",verb="patch"} 1
`
	if err := testutil.CollectAndCompare(m.writes, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
