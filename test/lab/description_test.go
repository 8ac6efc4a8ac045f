package lab

import (
	"strings"
	"testing"
)

func TestALabThatCannotBeIsRefused(t *testing.T) {
	for want, change := range map[string]func(*Description){
		"needs IPv4, IPv6 or both": func(d *Description) { d.IPv4, d.IPv6 = false, false },
		"1 to 80 nodes":            func(d *Description) { d.Nodes = 0 },
		"router core is behind tor3": func(d *Description) {
			d.Routers = append(d.Routers, RouterDescription{Name: "core", ASN: 65000, Behind: []string{"tor3"}})
		},
		"router tor: with GoBGP": func(d *Description) { d.Routers[0].GoBGP, d.Routers[0].ASN = true, NodeASN },
	} {
		d := Default()
		change(&d)
		if err := d.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about %q", err, want)
		}
	}
	for _, d := range []Description{Default(), TwoRouters(), TwoToRs()} {
		if err := d.check(); err != nil {
			t.Errorf("%s: %v", d, err)
		}
	}
}

func TestLabsAreToldApart(t *testing.T) {
	goBGP := Default()
	goBGP.Routers[0].GoBGP = true
	watched := Default()
	watched.Routers[0].BFD = true
	vrfs, snat, evpn, shared, bare := Default(), Default(), Default(), Default(), Default()
	vrfs.LeaveVRFs, snat.LeaveSNAT, evpn.LeaveEVPN, shared.SharedOVN, bare.NoOverlay = true, true, true, true, true
	managed := Default()
	managed.ManagerArgs = []string{"--take-over"}
	seen := map[string]bool{}
	for _, d := range []Description{Default(), goBGP, watched, vrfs, snat, evpn, shared, bare, managed, TwoRouters(), TwoToRs()} {
		if seen[d.String()] {
			t.Errorf("two labs are %q", d)
		}
		seen[d.String()] = true
	}
}
