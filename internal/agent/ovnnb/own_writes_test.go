package ovnnb_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/integration/agent/nbserver"
)

// What we wrote ourselves is no news; what anybody else did is.
func TestOwnWritesAreNotTold(t *testing.T) {
	s := nbserver.Start(t)
	s.AddRouter(t, "GR_n1")
	_, n, _ := start(t, s.Endpoint())
	known(t, n)
	n.TakeChanged()
	silent := func(what string) {
		t.Helper()
		if prefixes, all := n.TakeChanged(); all || len(prefixes) > 0 {
			t.Errorf("%s: told %v, all %v", what, prefixes, all)
		}
	}
	told := func(what, prefix string) {
		t.Helper()
		nbserver.Eventually(t, 5*time.Second, what, func() bool {
			prefixes, _ := n.TakeChanged()
			return slices.Contains(prefixes, netip.MustParsePrefix(prefix))
		})
	}
	change := func(verb model.RowVerb, prefix, hop string) model.RowChange {
		c := insert(prefix, hop)
		c.Verb, c.ID = verb, rows(n, prefix)[0].ID
		return c
	}

	commit(t, n, insert("10.1.0.0/24", "172.18.0.2"), insert("10.1.0.0/24", "172.18.0.3"), insert("10.2.0.0/24", "discard"))
	silent("inserted")
	commit(t, n, change(model.RowUpdate, "10.1.0.0/24", "172.18.0.9"), change(model.RowDelete, "10.2.0.0/24", "discard"), insert("10.3.0.0/24", "172.18.0.2"))
	silent("updated and deleted")
	if len(rows(n, "10.1.0.0/24")) != 2 || len(rows(n, "10.2.0.0/24")) != 0 || len(rows(n, "10.3.0.0/24")) != 1 {
		t.Error("the rows are not known")
	}

	s.Update(t, "10.3.0.0/24", map[string]any{"nexthop": "172.18.0.77"})
	told("changed by another", "10.3.0.0/24")
	commit(t, n, change(model.RowUpdate, "10.3.0.0/24", "172.18.0.2"))
	silent("set back")
	// The same again, of which nothing is expected any more.
	s.AddRoute(t, "GR_n1", "10.3.0.0/24", "172.18.0.2", "rtoe-GR_n1", [2]string{ownerKey, "agent"},
		[2]string{"ovnbgp.io/node", "n1"}, [2]string{"ovnbgp.io/network", "default"}, [2]string{"ovnbgp.io/part", "0"})
	told("copied by another", "10.3.0.0/24")

	// A refused transaction writes nothing, and leaves nothing expected.
	refused := insert("10.4.0.0/24", "172.18.0.2")
	refused.Verb, refused.ID = model.RowUpdate, model.RowID{1}
	if err := n.Commit(t.Context(), []model.RowChange{refused}); err == nil {
		t.Fatal("a row that is not there was updated")
	}
	s.AddRoute(t, "GR_n1", "10.4.0.0/24", "172.18.0.2", "rtoe-GR_n1", [2]string{ownerKey, "agent"},
		[2]string{"ovnbgp.io/node", "n1"}, [2]string{"ovnbgp.io/network", "default"}, [2]string{"ovnbgp.io/part", "0"})
	told("written by another what we could not", "10.4.0.0/24")
}
