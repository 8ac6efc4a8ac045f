package routediff

import (
	"net/netip"
	"slices"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Diff appends to out what has to be done so that the rows of prefix are as
// wanted: one row per next hop. A row with a next hop that is no longer wanted
// is rewritten for one that is missing, because that leaves no moment without
// a route and spares the router's set of routes, which OVSDB handles in time
// that grows with the table.
func Diff(prefix netip.Prefix, want []netip.Addr, have []model.RouterRow, out []model.RowChange) []model.RowChange {
	if unchanged(want, have) {
		return out
	}
	var surplus []model.RouterRow
	missing := slices.Clone(want)
	for _, row := range have {
		i := slices.Index(missing, row.NextHop)
		if i < 0 {
			surplus = append(surplus, row)
			continue
		}
		missing = slices.Delete(missing, i, i+1)
		if !row.Intact {
			out = append(out, model.RowChange{Verb: model.RowUpdate, ID: row.ID, Prefix: prefix, NextHop: row.NextHop})
		}
	}
	for _, hop := range missing {
		change := model.RowChange{Verb: model.RowInsert, Prefix: prefix, NextHop: hop}
		if n := len(surplus); n > 0 {
			change.Verb, change.ID = model.RowUpdate, surplus[n-1].ID
			surplus = surplus[:n-1]
		}
		out = append(out, change)
	}
	for _, row := range surplus {
		out = append(out, model.RowChange{Verb: model.RowDelete, ID: row.ID, Prefix: prefix, NextHop: row.NextHop})
	}
	return out
}

// unchanged recognizes the common case without allocating.
func unchanged(want []netip.Addr, have []model.RouterRow) bool {
	if len(want) != len(have) {
		return false
	}
	for _, row := range have {
		if !row.Intact || !slices.Contains(want, row.NextHop) {
			return false
		}
	}
	// Rows with one next hop twice would pass above.
	for i := range have {
		for j := range i {
			if have[i].NextHop == have[j].NextHop {
				return false
			}
		}
	}
	return true
}
