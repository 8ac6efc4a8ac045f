package snapshot

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

func TestReservedByTheCluster(t *testing.T) {
	objects := object[*Objects](t, `
ServiceCIDRs:
- metadata: {name: more}
  spec: {cidrs: [10.97.0.0/24]}
- metadata: {name: kubernetes, deletionTimestamp: "2026-01-01T00:00:00Z"}
  spec: {cidrs: [10.96.0.0/16, "fd00:10:96::/112", nonsense]}
EndpointSlices:
- metadata: {name: kubernetes, namespace: tenant}
  endpoints: [{addresses: [203.0.113.1]}]
- metadata: {name: web, namespace: default}
  endpoints: [{addresses: [203.0.113.2]}]
- metadata: {name: kubernetes, namespace: default}
  endpoints:
  - addresses: ["2001:db8::7", "::ffff:192.0.2.7"]
  - {addresses: [192.0.2.6, api.example.com, 192.0.2.7], conditions: {ready: false}}
`)
	told := model.Settings{ServiceSubnets: prefixes("10.98.0.0/16", "10.96.0.0/16")}
	c := Cluster(objects, told)
	same(t, c.Settings.ServiceSubnets, prefixes("10.96.0.0/16", "10.97.0.0/24", "10.98.0.0/16", "fd00:10:96::/112"))
	same(t, c.APIServer, addrs("192.0.2.6", "192.0.2.7", "2001:db8::7"))
	same(t, told.ServiceSubnets, prefixes("10.98.0.0/16", "10.96.0.0/16"))

	if none := Cluster(&Objects{}, model.Settings{}); none.APIServer != nil || none.Settings.ServiceSubnets != nil {
		t.Errorf("of nothing it makes %v and %v", none.APIServer, none.Settings.ServiceSubnets)
	}
}

func TestSurroundings(t *testing.T) {
	reader := NewNodeReader(&Objects{}, model.Settings{})
	for name, row := range map[string]struct {
		annotations string
		gateway     string
		problem     string
	}{
		"gateway":           {`k8s.ovn.org/l3-gateway-config: '{"default":{"mode":"shared","bridge-id":"br-ex"}}'`, "br-ex", ""},
		"no gateway yet":    {"", "", ""},
		"malformed gateway": {`k8s.ovn.org/l3-gateway-config: '{"default":{"mode":"sideways"}}'`, "", `annotation k8s.ovn.org/l3-gateway-config is malformed: mode: "sideways" is neither "shared" nor "local"` + repair},
	} {
		n := object[corev1.Node](t, "metadata: {name: n1, uid: u1, annotations: {"+row.annotations+"}}")
		got := reader.Surroundings(&n)
		if got.UID != "u1" || got.Gateway != row.gateway || got.GatewayProblem != row.problem {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
