package agent

import (
	"context"
	"net/netip"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/kernel"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// router is what a syncer needs of a network's gateway router, which
// ovnnb.Network is. Tests play it.
type router interface {
	Router() string
	State() ovnnb.RouterState
	RouteImports() (prefixes []netip.Prefix, version uint64)
	Rows(prefix netip.Prefix, out []model.RouterRow) []model.RouterRow
	Prefixes() []netip.Prefix
	Count() int
	RowCount() int
	Has(prefix netip.Prefix) bool
	TakeChanged() (prefixes []netip.Prefix, all bool)
	Commit(ctx context.Context, changes []model.RowChange) error
	SNAT(subnets []netip.Prefix, limit bool) ovnnb.SNAT
	CommitSNAT(ctx context.Context, found ovnnb.SNAT) error
	Defaults() (count int)
	Unmarked() []ovnnb.UnmarkedRow
	DropDefaults(ctx context.Context) error
	Close()
}

// table is what a syncer needs of a network's kernel table, which kernel.Table
// is.
type table interface {
	ID() uint32
	TakeChanges() kernel.Changes
	Path(prefix netip.Prefix) (path model.Path, found bool)
	Prefixes() []netip.Prefix
	Len() (all, beyond int)
	Reconsider() (begun bool)
	Close()
}
