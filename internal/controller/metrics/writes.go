package metrics

import (
	"net/http"
	"strconv"
	"strings"
)

// contentTypeApply is the content type of server-side apply; structured merge
// patches in CBOR share its prefix.
const contentTypeApply = "application/apply-patch"

// CountWrites wraps a transport so that every request that writes is counted,
// whoever sends it.
func (m *Metrics) CountWrites(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		verb := Verb(request)
		response, err := next.RoundTrip(request)
		if verb != "" {
			code := 0
			if response != nil {
				code = response.StatusCode
			}
			m.writes.WithLabelValues(verb, Resource(request.URL.Path), strconv.Itoa(code)).Inc()
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// Verb names the kind of write that a request is, "" for reads.
func Verb(request *http.Request) string {
	switch request.Method {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodDelete:
		return "delete"
	case http.MethodPatch:
		if strings.HasPrefix(request.Header.Get("Content-Type"), contentTypeApply) {
			return "apply"
		}
		return "patch"
	default:
		return ""
	}
}

// Resource finds the resource, with its subresource, in the path of an API
// request: /api/v1/… or /apis/GROUP/VERSION/…, then namespaces/NAMESPACE for
// what lives in one, then RESOURCE[/NAME[/SUBRESOURCE]].
func Resource(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return ""
	}
	if parts[0] == "namespaces" && len(parts) > 2 && parts[2] != "status" && parts[2] != "finalize" {
		parts = parts[2:]
	}
	if len(parts) > 2 {
		return parts[0] + "/" + parts[2]
	}
	return parts[0]
}
