package ovnnb

import (
	"sync"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// natColumns are the columns of NAT that every supported schema has. Newer
// ones have match as well.
var natColumns = []string{"type", "logical_ip", "allowed_ext_ips", "external_ids"}

// natRow is a NAT row of a watched gateway router.
type natRow struct {
	id          model.RowID
	kind        string
	logicalIP   string
	allowed     string
	match       string
	externalIDs map[string]string
}

// natTable is what the server says of the watched routers' NAT rows.
type natTable struct {
	rows   map[model.RowID]*natRow
	notify func()
	lock   sync.Locker
}

func newNATTable(lock sync.Locker, notify func()) *natTable {
	return &natTable{rows: map[model.RowID]*natRow{}, lock: lock, notify: notify}
}

func (t *natTable) forget() { clear(t.rows) }

// read applies the table's part of an update.
func (t *natTable) read(in *jsonReader) {
	in.object(func(uuid []byte) {
		id, ok := parseRowID(uuid)
		if !ok {
			in.fail("%q is no UUID", uuid)
			return
		}
		in.object(func(change []byte) {
			row := &natRow{id: id}
			gone := string(change) == "delete"
			if old := t.rows[id]; old != nil && string(change) == "modify" {
				*row = *old
			}
			if gone {
				in.skip()
			} else {
				row.read(in, string(change) == "modify")
			}
			if in.err != nil {
				return
			}
			t.lock.Lock()
			defer t.lock.Unlock()
			if gone {
				delete(t.rows, id)
			} else {
				t.rows[id] = row
			}
			t.notify()
		})
	})
}

func (row *natRow) read(in *jsonReader, difference bool) {
	in.object(func(column []byte) {
		switch string(column) {
		case "type":
			row.kind = string(in.string())
		case "logical_ip":
			row.logicalIP = string(in.string())
		case "allowed_ext_ips":
			row.allowed = in.optionalText()
		case "match":
			row.match = string(in.string())
		case "external_ids":
			row.externalIDs = in.textMap(row.externalIDs, difference)
		default:
			in.skip()
		}
	})
}

// natChanged runs with the lock held.
func (c *Client) natChanged() {
	for _, n := range c.watched {
		n.notify()
	}
}
