package agent

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
)

// snatAtMost bounds the pauses between two changes of a network's SNAT.
const snatAtMost = 5 * time.Minute

// snatPauses are the least times between two changes of a network's SNAT, which
// grow while something else keeps changing it back.
func snatPauses() wait.Backoff {
	return wait.Backoff{Duration: time.Second, Factor: 2, Cap: snatAtMost, Steps: math.MaxInt}
}

// snatWanted is what a network's SNAT should be.
type snatWanted struct {
	managed bool
	limit   bool
	subnets []netip.Prefix
}

// snatPace keeps two writers from fighting.
type snatPace struct {
	next   time.Time
	pauses wait.Backoff
	// again counts the rows that were limited again after something else had freed
	// them.
	again int
}

// syncSNAT limits the network's SNAT, or resets it; again is when to look again,
// 0 for when something changes.
func (s *syncer) syncSNAT(ctx context.Context, want snatWanted) (again time.Duration) {
	if !want.managed || s.readOnly {
		s.snatMessage = ""
		return 0
	}
	found := s.rows.SNAT(want.subnets, want.limit)
	s.snatMessage = s.tellSNAT(&found, want.limit)
	now := time.Now()
	if found.Changes == 0 {
		if now.Sub(s.snat.next) > snatAtMost {
			s.snat.pauses = snatPauses()
		}
		return 0
	}
	if early := s.snat.next.Sub(now); early > 0 {
		s.snatMessage = fmt.Sprintf("%d SNAT rows of %s are not as they should be, because something else keeps changing them; the agent sets them again in %s", found.Changes, s.rows.Router(), early.Round(time.Second))
		return early
	}
	err := s.rows.CommitSNAT(ctx, found)
	pause := s.snat.pauses.Step()
	s.snat.next = now.Add(pause)
	if err != nil {
		s.snatMessage = "SNAT could not be changed: " + err.Error()
		return pause
	}
	s.figures.snatted(s.name, found.Changes)
	if found.Undone > 0 {
		s.snat.again += found.Undone
		s.log.Info("Limited SNAT again that OVN-Kubernetes or something else had freed", "network", s.name, "router", s.rows.Router(), "rows", found.Undone)
		s.snatMessage = s.tellSNAT(&found, want.limit)
	}
	return 0
}

// tellSNAT is what people have to know of the router's SNAT.
func (s *syncer) tellSNAT(found *ovnnb.SNAT, limit bool) string {
	var out []string
	if found.NoNodes {
		out = append(out, "SNAT is not limited: OVN has no address set node-ips, which OVN-Kubernetes creates only if an EgressIP, an EgressService or an advertised network of its own uses it")
	}
	if limit && found.OfPods > 0 {
		out = append(out, fmt.Sprintf("%d SNAT rows of %s are of single pods (--disable-snat-multiple-gws) and stay without limit", found.OfPods, s.rows.Router()))
	}
	if limit && s.snat.again > 0 {
		out = append(out, fmt.Sprintf("SNAT rows were limited again %d times: OVN-Kubernetes frees them whenever it syncs its gateway", s.snat.again))
	}
	return strings.Join(out, "; ")
}
