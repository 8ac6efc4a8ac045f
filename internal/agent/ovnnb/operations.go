package ovnnb

import (
	"strconv"
	"sync"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// transaction is a list of operations, written as JSON while it grows. Going
// through maps and reflection, as a general client must, takes longer than
// ovsdb-server needs for the rows.
type transaction struct {
	json []byte
	// counted says for each operation whether it must have changed exactly one
	// row, and what it means if it hasn't.
	counted []outcome
}

// outcome is what an operation that changed no row means.
type outcome uint8

const (
	anyCount outcome = iota
	rowMustExist
	routerMustExist
)

// transactions are used again: a full import writes dozens of megabytes, half
// a megabyte at a time.
var transactions = sync.Pool{New: func() any { return &transaction{} }}

func newTransaction() *transaction {
	t := transactions.Get().(*transaction)
	t.json = append(appendJSONString(append(t.json[:0], '['), Database), ',')
	t.counted = t.counted[:0]
	return t
}

func (t *transaction) begin(o outcome) {
	if len(t.counted) > 0 {
		t.json = append(t.json, ',')
	}
	t.counted = append(t.counted, o)
}

func (t *transaction) text(text string) { t.json = append(t.json, text...) }

func (t *transaction) quoted(text string) { t.json = appendJSONString(t.json, text) }

func (t *transaction) params() []byte { return append(t.json, ']') }

// name is the temporary UUID of the nth inserted row.
func (t *transaction) name(n int) {
	t.json = append(t.json, 'r')
	t.json = strconv.AppendInt(t.json, int64(n), 10)
}

// change adds the operations for changes of routes on one router. The set of
// the router's routes is changed once, because ovsdb-server copies it.
func (t *transaction) change(router model.RowID, network *networkRoutes, node string, changes []model.RowChange) {
	inserts, deletes := 0, 0
	for i := range changes {
		c := &changes[i]
		switch c.Verb {
		case model.RowInsert:
			t.begin(anyCount)
			t.text(`{"op":"insert","table":"Logical_Router_Static_Route","uuid-name":"`)
			t.name(inserts)
			t.text(`","row":`)
			t.row(network, node, c, false)
			t.text(`}`)
			inserts++
		case model.RowUpdate:
			t.begin(rowMustExist)
			t.text(`{"op":"update","table":"Logical_Router_Static_Route","where":[["_uuid","==",`)
			t.uuid(c.ID)
			t.text(`]],"row":`)
			t.row(network, node, c, true)
			t.text(`}`)
		case model.RowDelete:
			deletes++
		}
	}
	if inserts+deletes > 0 {
		t.routes(router, changes, inserts, deletes)
	}
}

func (t *transaction) uuid(id model.RowID) {
	t.text(`["uuid","`)
	t.json = appendRowID(t.json, id)
	t.text(`"]`)
}

// row writes a row. An update writes the columns too that we leave empty.
func (t *transaction) row(network *networkRoutes, node string, c *model.RowChange, update bool) {
	t.text(`{"ip_prefix":"`)
	t.json = c.Prefix.AppendTo(t.json)
	t.text(`","nexthop":"`)
	if c.NextHop.IsValid() {
		t.json = c.NextHop.AppendTo(t.json)
	} else {
		t.text(nextHopDiscard)
	}
	t.text(`","output_port":`)
	t.quoted(network.port)
	t.text(`,"external_ids":["map",[["` + markOwner + `","` + ownerAgent + `"],["` + markNode + `",`)
	t.quoted(node)
	t.text(`],["` + markNetwork + `",`)
	t.quoted(network.name)
	t.text(`]]]`)
	if update {
		t.text(`,"route_table":"","policy":["set",[]],"bfd":["set",[]],"options":["map",[]]`)
	}
	t.text(`}`)
}

// routes changes the router's set of routes. A row that is in no set any more
// is removed by the server.
func (t *transaction) routes(router model.RowID, changes []model.RowChange, inserts, deletes int) {
	t.begin(routerMustExist)
	t.text(`{"op":"mutate","table":"Logical_Router","where":[["_uuid","==",`)
	t.uuid(router)
	t.text(`]],"mutations":[`)
	if inserts > 0 {
		t.text(`["static_routes","insert",["set",[`)
		for i := range inserts {
			if i > 0 {
				t.text(`,`)
			}
			t.text(`["named-uuid","`)
			t.name(i)
			t.text(`"]`)
		}
		t.text(`]]]`)
	}
	if deletes > 0 {
		if inserts > 0 {
			t.text(`,`)
		}
		t.text(`["static_routes","delete",["set",[`)
		first := true
		for i := range changes {
			if changes[i].Verb != model.RowDelete {
				continue
			}
			if !first {
				t.text(`,`)
			}
			first = false
			t.uuid(changes[i].ID)
		}
		t.text(`]]]`)
	}
	t.text(`]}`)
}

// results are what the server says became of a transaction.
type results struct {
	operations int
	// failed is the first error, of whatever operation.
	failed string
	// missed is set where an operation did not find its row.
	missed outcome
	rows   int
}

// read reads the reply to transact. It has one element per operation, and one
// more where the commit as a whole failed (RFC 7047, 4.1.3).
func (r *results) read(in *jsonReader, expected []outcome) {
	in.list(func() {
		index := r.operations
		r.operations++
		if in.null() {
			return
		}
		count, failure, details := int64(-1), "", ""
		in.object(func(key []byte) {
			switch string(key) {
			case "count":
				count, _ = strconv.ParseInt(string(in.literal()), 10, 64)
			case "error":
				if !in.null() {
					failure = string(in.string())
				}
			case "details":
				details = string(in.string())
			default:
				in.skip()
			}
		})
		switch {
		case failure != "" && r.failed == "":
			r.failed = failure
			if details != "" {
				r.failed += ": " + details
			}
		case index < len(expected) && expected[index] != anyCount && count != 1:
			r.missed = max(r.missed, expected[index])
		default:
			r.rows++
		}
	})
}
