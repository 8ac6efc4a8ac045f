package agent

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

const (
	// snatAgain is the least time between two changes of a network's SNAT. It
	// doubles while somebody keeps changing it back, up to snatAtMost.
	snatAgain  = time.Second
	snatAtMost = 5 * time.Minute
)

// snatWanted is what a network's SNAT should be.
type snatWanted struct {
	managed bool
	limit   bool
	subnets []netip.Prefix
}

// snatPace keeps two writers from fighting.
type snatPace struct {
	next time.Time
	wait time.Duration
}

// syncSNAT limits the network's SNAT, or sets it back; again tells when to
// look again, 0 for when something changes.
func (s *syncer) syncSNAT(ctx context.Context, want snatWanted) (again time.Duration) {
	if !want.managed || s.readOnly {
		s.snatMessage = ""
		return 0
	}
	found := s.rows.SNAT(want.subnets, want.limit)
	s.snatMessage = ""
	if found.NoNodes {
		s.snatMessage = "SNAT is not limited yet: OVN has no address set node-ips, which OVN-Kubernetes makes"
	}
	now := time.Now()
	if found.Changes == 0 {
		if now.Sub(s.snat.next) > snatAtMost {
			s.snat.wait = 0
		}
		return 0
	}
	if early := s.snat.next.Sub(now); early > 0 {
		s.snatMessage = fmt.Sprintf("somebody else changed %d SNAT rows of %s; they are set again in %s", found.Changes, s.rows.Router(), early.Round(time.Second))
		return early
	}
	err := s.rows.CommitSNAT(ctx, found)
	s.snat.wait = min(max(2*s.snat.wait, snatAgain), snatAtMost)
	s.snat.next = now.Add(s.snat.wait)
	if err != nil {
		s.snatMessage = "SNAT could not be changed: " + err.Error()
		return s.snat.wait
	}
	s.figures.snatted(s.name, found.Changes)
	return 0
}
