package ovnnb

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// What jsonReader takes, encoding/json takes, with the same meaning. It may
// refuse what encoding/json takes only for being nested too deeply.
func FuzzJSONReader(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\ude00\n"],"b":{}}`, `[]`, `"\ud800"`, `[[["set",[]]]]`, `{"":""}`, `[1,]`, `01`, `"a` + "\x01" + `"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newJSONReader(strings.NewReader(string(b) + " "))
		raw := r.raw()
		if r.err != nil {
			return
		}
		var want, got any
		// Numbers stay text: 1E700 is well-formed, and too large for a float.
		decode := func(b []byte, out *any) error {
			decoder := json.NewDecoder(bytes.NewReader(b))
			decoder.UseNumber()
			return decoder.Decode(out)
		}
		if err := decode(b, &want); err != nil {
			t.Fatalf("%q is taken: %v", b, err)
		}
		if err := decode(raw, &got); err != nil {
			t.Fatalf("%q became %q: %v", b, raw, err)
		}
		if !reflect.DeepEqual(want, got) {
			t.Fatalf("%q became %q", b, raw)
		}
	})
}

// Whatever updates come, the table of routes stays in order: each row is found
// under its prefix, and counted once.
func FuzzUpdates(f *testing.F) {
	const id = `"00000000-0000-0000-0000-00000000000`
	ours := `"external_ids":["map",[["ovnbgp.io/owner","agent"],["ovnbgp.io/node","n1"],["ovnbgp.io/network","default"]]]`
	f.Add([]byte(`{` + id + `1":{"insert":{"ip_prefix":"10.0.0.0/24","nexthop":"1.1.1.1","output_port":"rtoe-GR_n1",` + ours + `}},` +
		id + `2":{"initial":{"ip_prefix":"10.0.0.0/24","nexthop":"discard",` + ours + `}},` + id + `1":{"modify":{"nexthop":"2.2.2.2"}},` + id + `1":{"delete":null}}`))
	f.Add([]byte(`{` + id + `1":{"insert":{"external_ids":["map",[["k8s.ovn.org/owner-controller","RouteImport"]]],"output_port":["set",[]]}},` + id + `1":{"modify":{` + ours + `}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var lock sync.Mutex
		r := newRoutes("n1", &lock)
		r.network("default").notify = func() {}
		in := newJSONReader(bytes.NewReader(b))
		r.read(in)
		seen := map[model.RowID]bool{}
		for name, n := range r.networks {
			rows := 0
			for prefix, row := range n.byPrefix {
				for ; row != nil; row = row.next {
					if row.prefix != prefix || row.network != n || seen[row.id] || r.own[row.id] != row {
						t.Fatalf("network %q: row %+v under %s", name, row, prefix)
					}
					seen[row.id] = true
					rows++
				}
			}
			if rows != n.rows {
				t.Fatalf("network %q: %d rows, counted %d", name, rows, n.rows)
			}
		}
		if len(seen) != len(r.own) {
			t.Fatalf("%d rows under prefixes, %d in all", len(seen), len(r.own))
		}
	})
}
