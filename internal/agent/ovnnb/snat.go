package ovnnb

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

const (
	// nodeAddressSet is the name, in external_ids, of the address sets that
	// OVN-Kubernetes keeps all nodes' addresses in. They spare every agent a
	// watch of all nodes.
	nodeAddressSet = "node-ips"
	// markSNAT is on NAT rows that we limited, so that we set only those back.
	markSNAT  = "ovnbgp.io/snat"
	toNodes   = "to-nodes"
	snatKind  = "snat"
	noAllowed = `["set",[]]`
)

// addressSets are the sets of nodes' addresses, by family.
type addressSets struct {
	rows   map[model.RowID]map[string]struct{}
	notify func()
	lock   sync.Locker
}

func newAddressSets(lock sync.Locker, notify func()) *addressSets {
	return &addressSets{rows: map[model.RowID]map[string]struct{}{}, lock: lock, notify: notify}
}

func (a *addressSets) forget() { clear(a.rows) }

// read applies the table's part of an update.
func (a *addressSets) read(in *jsonReader) {
	in.object(func(uuid []byte) {
		id, ok := parseRowID(uuid)
		if !ok {
			in.fail("%q is no UUID", uuid)
			return
		}
		in.object(func(change []byte) {
			if string(change) == "delete" {
				in.skip()
				a.lock.Lock()
				defer a.lock.Unlock()
				delete(a.rows, id)
				a.notify()
				return
			}
			addresses := map[string]struct{}{}
			if string(change) == "modify" {
				for address := range a.rows[id] {
					addresses[address] = struct{}{}
				}
			}
			in.object(func(column []byte) {
				if string(column) != "addresses" {
					in.skip()
					return
				}
				in.setOfText(func(address string) {
					if _, found := addresses[address]; found {
						delete(addresses, address)
					} else {
						addresses[address] = struct{}{}
					}
				})
			})
			if in.err != nil {
				return
			}
			a.lock.Lock()
			defer a.lock.Unlock()
			a.rows[id] = addresses
			a.notify()
		})
	})
}

// of returns the set with addresses of a family.
func (a *addressSets) of(ipv4 bool) (id model.RowID, found bool) {
	for candidate, addresses := range a.rows {
		for text := range addresses {
			address, err := netip.ParseAddr(text)
			// Two sets of a family should not be; the choice must be steady.
			if err == nil && address.Is4() == ipv4 && (!found || slices.Compare(candidate[:], id[:]) < 0) {
				id, found = candidate, true
			}
			break
		}
	}
	return id, found
}

// SNAT is how a gateway router's SNAT stands.
type SNAT struct {
	// Rows are SNAT rows of the network's subnets, Limited those of them that
	// apply to destinations that are nodes only, whoever saw to that.
	Rows, Limited int
	// Changes are rows that differ from what is wanted.
	Changes int
	// NoNodes is set where the addresses of nodes are not known.
	NoNodes bool
	edits   []natEdit
}

type natEdit struct {
	row     *natRow
	allowed *model.RowID
}

// SNAT compares the router's SNAT of subnets with what is wanted: limited to
// destinations that are nodes, or as it was before we limited it.
func (n *Network) SNAT(subnets []netip.Prefix, limit bool) SNAT {
	c := n.client
	c.mu.Lock()
	defer c.mu.Unlock()
	var out SNAT
	router := c.routers.byName[n.router]
	if !n.known || router == nil {
		return out
	}
	for uuid := range router.nat {
		id, _ := parseRowID([]byte(uuid))
		row := c.nat.rows[id]
		if row == nil || row.kind != snatKind {
			continue
		}
		family, concerned := concerns(row.logicalIP, subnets)
		if !concerned {
			continue
		}
		out.Rows++
		out.compare(row, limit, func() (model.RowID, bool) { return c.nodes.of(family) })
	}
	out.Changes = len(out.edits)
	return out
}

func (s *SNAT) compare(row *natRow, limit bool, nodes func() (model.RowID, bool)) {
	ours := row.externalIDs[markSNAT] == toNodes
	switch {
	case row.match != "" || row.allowed != "" && !ours:
		// Somebody else limited it, such as OVN-Kubernetes itself.
		s.Limited++
	case !limit && ours:
		s.edits = append(s.edits, natEdit{row: row})
	case limit:
		set, found := nodes()
		switch {
		case !found:
			s.NoNodes = true
		case !ours || row.allowed != string(appendRowID(nil, set)):
			s.edits = append(s.edits, natEdit{row: row, allowed: &set})
		default:
			s.Limited++
		}
	}
}

// concerns reports whether a row's logical_ip is within the subnets, or the
// other way round, as the row of a node's part of a larger subnet is.
func concerns(logical string, subnets []netip.Prefix) (ipv4, concerned bool) {
	prefix, err := netip.ParsePrefix(logical)
	if err != nil {
		address, err := netip.ParseAddr(logical)
		if err != nil {
			return false, false
		}
		prefix = netip.PrefixFrom(address, address.BitLen())
	}
	for _, subnet := range subnets {
		if subnet.Overlaps(prefix) {
			return prefix.Addr().Is4(), true
		}
	}
	return false, false
}

// CommitSNAT makes the changes that SNAT found.
func (n *Network) CommitSNAT(ctx context.Context, found SNAT) error {
	if len(found.edits) == 0 {
		return nil
	}
	c := n.client
	c.mu.Lock()
	s := c.session
	c.mu.Unlock()
	if s == nil {
		return ErrDisconnected
	}
	t := newTransaction()
	for _, edit := range found.edits {
		where := func() {
			t.text(`"table":"NAT","where":[["_uuid","==",`)
			t.uuid(edit.row.id)
			t.text(`]],`)
		}
		t.begin(rowMustExist)
		t.text(`{"op":"update",`)
		where()
		t.text(`"row":{"allowed_ext_ips":`)
		if edit.allowed != nil {
			t.uuid(*edit.allowed)
		} else {
			t.text(noAllowed)
		}
		t.text(`}}`)
		t.begin(rowMustExist)
		t.text(`{"op":"mutate",`)
		where()
		// An insert leaves a key alone that is there, so it goes first.
		t.text(`"mutations":[["external_ids","delete",["set",["` + markSNAT + `"]]]`)
		if edit.allowed != nil {
			t.text(`,["external_ids","insert",["map",[["` + markSNAT + `","` + toNodes + `"]]]]`)
		}
		t.text(`]}`)
	}
	return c.transact(ctx, s, t)
}
