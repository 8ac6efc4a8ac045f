package ovnnb

import (
	"context"
	"net/netip"
	"slices"
	"strings"

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
	// apply to destinations that are nodes only, whoever limited them.
	Rows, Limited int
	// OfPods are rows of single pods, which are left alone.
	OfPods int
	// Changes are rows that differ from what is wanted, Limits those of them
	// that are to be limited.
	Changes, Limits int
	// Undone are rows that we had limited and something else freed, as
	// OVN-Kubernetes does whenever it syncs its gateway.
	Undone int
	// NoNodes is set where the addresses of nodes are not known.
	NoNodes bool
	edits   []natEdit
}

// natEdit is what a row is to be: its match, the set of destinations that it is
// limited to where there is no match, "" for none, and whether it has our mark.
type natEdit struct {
	row, match, allowed string
	marked              bool
}

// SNAT compares the router's SNAT of subnets with what is wanted: limited to
// destinations that are nodes, or as it was before we limited it. Rows of
// others, such as egress IPs, are only freed of what earlier versions did.
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
		if !row.ofNetwork(subnets) {
			out.spare(row, subnets)
			continue
		}
		out.Rows++
		out.compare(row, limit, s.limits(strings.Contains(row.LogicalIP, ".")))
	}
	out.Changes = len(out.edits)
	for _, edit := range out.edits {
		if row := s.nat(edit.row); edit.marked && n.limited[edit.row] && row.Allowed == nil && row.before() == row.Match {
			out.Undone++
		}
	}
	return out
}

// spare restores a row that is not ours to what it was before we limited it.
func (s *SNAT) spare(row *natMatchRow, subnets []netip.Prefix) {
	if row.plain() && within(row.LogicalIP, subnets) {
		s.OfPods++
	}
	if row.ours() {
		s.edits = append(s.edits, natEdit{row: row.UUID, match: row.before()})
	}
}

// limit is how a row says that its destinations are nodes, by one of the two.
type limit struct{ match, allowed string }

func (s *SNAT) compare(row *natMatchRow, limited bool, nodes limit) {
	before, ours := row.before(), row.ours()
	free := natEdit{row: row.UUID, match: before}
	switch {
	case !noLimit(before) || row.Allowed != nil && !ours:
		// Somebody else limited it, such as OVN-Kubernetes itself.
		s.Limited++
	case limited && nodes == limit{}:
		s.NoNodes = true
		if ours {
			s.edits = append(s.edits, free)
		}
	case limited:
		want := natEdit{row: row.UUID, match: joined(before, nodes.match), allowed: nodes.allowed, marked: true}
		if have := (natEdit{row: row.UUID, match: row.Match, allowed: valueOf(row.Allowed), marked: ours}); have == want {
			s.Limited++
		} else {
			s.edits = append(s.edits, want)
			s.Limits++
		}
	case ours:
		s.edits = append(s.edits, free)
	}
}

// ours reports whether we limited the row.
func (r *natMatchRow) ours() bool { return r.ExternalIDs[markSNAT] == toNodes }

// plain reports whether the row is of none of the features that have rows of
// their own beside the network's: egress IPs and services have an owner or a
// port, networks without overlay spare some destinations, which northd does
// not take together with a limit.
func (r *natMatchRow) plain() bool {
	return r.ExternalIDs[ownerType] == "" && r.LogicalPort == nil && r.Exempted == nil
}

// ofNetwork reports whether the row hides a whole subnet of the network.
func (r *natMatchRow) ofNetwork(subnets []netip.Prefix) bool {
	prefix, err := netip.ParsePrefix(r.LogicalIP)
	return err == nil && r.plain() && slices.Contains(subnets, prefix)
}

// before is the row's match without what we added.
func (r *natMatchRow) before() string {
	if !r.ours() {
		return r.Match
	}
	at := max(strings.LastIndex(r.Match, matchIPv4), strings.LastIndex(r.Match, matchIPv6))
	if at < 0 {
		return r.Match
	}
	return strings.TrimSuffix(r.Match[:at], matchAnd)
}

const (
	matchIPv4 = "ip4.dst == $"
	matchIPv6 = "ip6.dst == $"
	matchAnd  = " && "
	// ownerType is, in external_ids, what OVN-Kubernetes wrote a row for.
	ownerType = "k8s.ovn.org/owner-type"
	// clusterNodes is the owner of the sets that OVN-Kubernetes limits with.
	clusterNodes = "ClusterNodeIPs"
)

func joined(before, match string) string {
	if before == "" || match == "" {
		return before + match
	}
	return before + matchAnd + match
}

// noLimit reports whether a match lets every destination through: without a
// transit router OVN-Kubernetes names the port alone.
func noLimit(match string) bool {
	port, found := strings.CutPrefix(match, `outport == "`)
	return match == "" || found && strings.IndexByte(port, '"') == len(port)-1
}

// limits are as the server's schema has them. A match is preferred: a row that
// refers to a set keeps OVN-Kubernetes from removing it, and it then fails.
func (s *session) limits(ipv4 bool) limit {
	set := s.nodes(ipv4)
	switch {
	case set == nil:
		return limit{}
	case !s.matches:
		return limit{allowed: set.UUID}
	case ipv4:
		return limit{match: matchIPv4 + set.Name}
	default:
		return limit{match: matchIPv6 + set.Name}
	}
}

// within reports whether an address or prefix lies in one of the subnets.
func within(logical string, subnets []netip.Prefix) bool {
	prefix, err := netip.ParsePrefix(logical)
	if address, failed := netip.ParseAddr(logical); err != nil && failed == nil {
		prefix = netip.PrefixFrom(address, address.BitLen())
	}
	return prefix.IsValid() && slices.ContainsFunc(subnets, func(subnet netip.Prefix) bool { return subnet.Overlaps(prefix) })
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
		}
		row := ovsdb.Row{"allowed_ext_ips": allowed}
		if s.matches {
			row["match"] = edit.match
		}
		if edit.marked {
			mutations = append(mutations, *ovsdb.NewMutation("external_ids", ovsdb.MutateOperationInsert, marks(markSNAT, toNodes)))
		}
		t.add(rowMustExist, ovsdb.Operation{Op: ovsdb.OperationUpdate, Table: tableNAT, Where: is(edit.row), Row: row})
		t.add(rowMustExist, ovsdb.Operation{Op: ovsdb.OperationMutate, Table: tableNAT, Where: is(edit.row), Mutations: mutations})
	}
	if _, err := c.transact(ctx, s, &t); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.limited == nil {
		n.limited = map[string]bool{}
	}
	for _, edit := range found.edits {
		if n.limited[edit.row] = edit.marked; !edit.marked {
			delete(n.limited, edit.row)
		}
	}
	return nil
}
