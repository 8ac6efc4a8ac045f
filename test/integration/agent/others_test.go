package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// foreignTo gives a router what others write there: OVN-Kubernetes its default
// route, the agent of another node and an administrator routes of the same
// prefixes as ours.
func (n *node) foreignTo(router string) {
	port := "rtoe-" + router
	n.server.AddRoute(GinkgoTB(), router, "0.0.0.0/0", "172.18.0.1", port)
	n.server.AddRoute(GinkgoTB(), router, "10.1.0.0/24", "172.18.0.250", port, [2]string{"ovnbgp.io/owner", "agent"}, [2]string{"ovnbgp.io/node", "n2"})
	n.server.AddRoute(GinkgoTB(), router, "20.0.1.0/24", "172.18.0.251", port, [2]string{"owner", "admin"})
	n.server.AddRoute(GinkgoTB(), router, "fd01:1::/64", "fe80::fa", port, [2]string{"ovnbgp.io/owner", "agent"})
	n.server.Transact(GinkgoTB(),
		map[string]any{"op": "insert", "table": "NAT", "uuid-name": "nat", "row": map[string]any{"type": "snat", "logical_ip": "10.244.0.0/16", "external_ip": "172.18.0.1"}},
		map[string]any{"op": "insert", "table": "Logical_Router_Port", "uuid-name": "port", "row": map[string]any{"name": port, "mac": "02:00:00:00:00:01", "networks": "172.18.0.1/16"}},
		map[string]any{"op": "mutate", "table": "Logical_Router", "where": []any{[]any{"name", "==", router}}, "mutations": []any{
			[]any{"nat", "insert", []string{"named-uuid", "nat"}}, []any{"ports", "insert", []string{"named-uuid", "port"}}}},
	)
}

// foreign gives both routers somebody else's rows and remembers all that is
// not ours.
func (n *node) foreign() {
	n.foreignTo("GR_n1")
	n.foreignTo(blueRouter)
	n.others = n.everythingElse()
}

// expectForeign compares that with what is there now.
func (n *node) expectForeign() {
	GinkgoHelper()
	Expect(n.others).NotTo(BeEmpty(), "foreign was not called")
	Expect(n.everythingElse()).To(Equal(n.others), "somebody else's rows were touched")
}

// everythingElse is every row of the tables that an agent has to do with, all
// columns of it, without our routes.
func (n *node) everythingElse() []string {
	GinkgoHelper()
	tables := []string{"Logical_Router", "Logical_Router_Static_Route", "Logical_Router_Port", "NAT", "Address_Set", "BFD", "Logical_Router_Policy", "NB_Global"}
	var selects []any
	for _, table := range tables {
		selects = append(selects, map[string]any{"op": "select", "table": table, "where": []any{}})
	}
	answer := n.server.Transact(GinkgoTB(), selects...)
	ours := map[string]bool{}
	for _, row := range answer[1]["rows"].([]any) {
		if ids := fmt.Sprint(row.(map[string]any)["external_ids"]); strings.Contains(ids, "[ovnbgp.io/owner agent]") && strings.Contains(ids, "[ovnbgp.io/node n1]") {
			ours[fmt.Sprint(row.(map[string]any)["_uuid"])] = true
		}
	}
	var out []string
	for i, table := range tables {
		for _, item := range answer[i]["rows"].([]any) {
			row := item.(map[string]any)
			if ours[fmt.Sprint(row["_uuid"])] {
				continue
			}
			// The server makes versions anew when it starts.
			delete(row, "_version")
			if table == "Logical_Router" {
				row["static_routes"] = without(row["static_routes"].([]any), ours)
			}
			text, err := json.Marshal(row)
			Expect(err).NotTo(HaveOccurred())
			out = append(out, table+" "+string(text))
		}
	}
	slices.Sort(out)
	return out
}

// without is a set of references, sorted, without some; a single one is not
// written as a set.
func without(set []any, drop map[string]bool) []string {
	elements := []any{set}
	if set[0] == "set" {
		elements = set[1].([]any)
	}
	var out []string
	for _, id := range elements {
		if text := fmt.Sprint(id); !drop[text] {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out
}
