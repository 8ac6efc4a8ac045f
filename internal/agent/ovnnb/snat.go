package ovnnb

import (
	"context"
	"net/netip"

	"github.com/ovn-kubernetes/libovsdb/ovsdb"
)

const (
	// nodeAddressSet is the name, in external_ids, of the address sets that
	// OVN-Kubernetes keeps all nodes' addresses in. They spare every agent a
	// watch of all nodes.
	nodeAddressSet = "node-ips"
	// markSNAT is on NAT rows that we limited, so that we set only those back.
	markSNAT = "ovnbgp.io/snat"
	toNodes  = "to-nodes"
	snatKind = "snat"
)

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

// natEdit is a change of a row; allowed is the set of destinations that it is
// limited to, "" where it is to be without.
type natEdit struct{ row, allowed string }

// SNAT compares the router's SNAT of subnets with what is wanted: limited to
// destinations that are nodes, or as it was before we limited it.
func (n *Network) SNAT(subnets []netip.Prefix, limit bool) SNAT {
	c := n.client
	c.mu.Lock()
	defer c.mu.Unlock()
	var out SNAT
	router, s := c.around.routers[n.router], c.session
	if !n.known || router == nil || s == nil {
		return out
	}
	for _, uuid := range router.NAT {
		row := s.nat(uuid)
		if row == nil {
			continue
		}
		family, concerned := concerns(row.LogicalIP, subnets)
		if !concerned {
			continue
		}
		out.Rows++
		out.compare(row, limit, func() string { return s.nodes(family) })
	}
	out.Changes = len(out.edits)
	return out
}

func (s *SNAT) compare(row *natMatchRow, limit bool, nodes func() string) {
	ours := row.ExternalIDs[markSNAT] == toNodes
	switch {
	case row.Match != "" || row.Allowed != nil && !ours:
		// Somebody else limited it, such as OVN-Kubernetes itself.
		s.Limited++
	case !limit && ours:
		s.edits = append(s.edits, natEdit{row: row.UUID})
	case limit:
		set := nodes()
		switch {
		case set == "":
			s.NoNodes = true
		case !ours || valueOf(row.Allowed) != set:
			s.edits = append(s.edits, natEdit{row: row.UUID, allowed: set})
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
	var t transaction
	for _, edit := range found.edits {
		allowed := ovsdb.OvsSet{}
		// An insert leaves a key alone that is there, so it goes first.
		mutations := []ovsdb.Mutation{*ovsdb.NewMutation("external_ids", ovsdb.MutateOperationDelete, ovsdb.OvsSet{GoSet: []any{markSNAT}})}
		if edit.allowed != "" {
			allowed.GoSet = []any{ovsdb.UUID{GoUUID: edit.allowed}}
			mutations = append(mutations, *ovsdb.NewMutation("external_ids", ovsdb.MutateOperationInsert, marks(markSNAT, toNodes)))
		}
		t.add(rowMustExist, ovsdb.Operation{Op: ovsdb.OperationUpdate, Table: tableNAT, Where: is(edit.row), Row: ovsdb.Row{"allowed_ext_ips": allowed}})
		t.add(rowMustExist, ovsdb.Operation{Op: ovsdb.OperationMutate, Table: tableNAT, Where: is(edit.row), Mutations: mutations})
	}
	_, err := c.transact(ctx, s, &t)
	return err
}
