package e2e_test

import (
	"context"
	"net/netip"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/cni"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
)

// expectDistinct checks that each route distinguisher is that of one node and one
// VPN. What has the same distinguisher and prefix is one route to a router, which
// passes on the best only.
func expectDistinct(ctx context.Context, r *lab.Router) {
	GinkgoHelper()
	type owner struct{ ends, targets []string }
	owners := map[string]*owner{}
	for _, list := range []func(context.Context) ([]frr.EVPNRoute, error){r.FRR.TypeTwos, r.FRR.TypeFives} {
		routes, err := list(ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, route := range routes {
			if owners[route.RD] == nil {
				owners[route.RD] = &owner{targets: route.RouteTargets}
			}
			o := owners[route.RD]
			for _, end := range route.NextHops {
				if !slices.Contains(o.ends, end.String()) {
					o.ends = append(o.ends, end.String())
				}
			}
			// A host with an address has the IP-VRF's target beside its own.
			o.targets = slices.DeleteFunc(slices.Clone(o.targets), func(t string) bool { return !slices.Contains(route.RouteTargets, t) })
		}
	}
	Expect(owners).NotTo(BeEmpty())
	for rd, o := range owners {
		Expect(o.ends).To(HaveLen(1), "nodes with route distinguisher %s", rd)
		Expect(o.targets).NotTo(BeEmpty(), "what all routes of route distinguisher %s have in common", rd)
	}
}

// routerMACs are whom a router sends routed packets to, by end of a tunnel.
func routerMACs(ctx context.Context, r *lab.Router) map[netip.Addr]string {
	GinkgoHelper()
	routes, err := r.FRR.TypeFives(ctx)
	Expect(err).NotTo(HaveOccurred())
	macs := map[netip.Addr]string{}
	for _, route := range routes {
		for _, end := range route.NextHops {
			if before, known := macs[end]; known {
				Expect(route.RouterMAC).To(Equal(before), "%s has one MAC", end)
			}
			macs[end] = route.RouterMAC
		}
	}
	return macs
}

// endsOf are the ends of tunnels by which a router knows a pod.
func endsOf(ctx context.Context, r *lab.Router, pod *cni.Pod) ([]netip.Addr, error) {
	routes, err := r.FRR.TypeTwos(ctx)
	var ends []netip.Addr
	for _, route := range routes {
		if route.MAC == pod.MAC {
			ends = append(ends, route.NextHops...)
		}
	}
	return ends, err
}

// rendered is what the condition Rendered of a RouteAdvertisements says.
func rendered(l *lab.Lab, name string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var ra ovnv1.RouteAdvertisements
		if err := l.Kube.Client.Get(ctx, client.ObjectKey{Name: name}, &ra); err != nil {
			return "", err
		}
		condition := meta.FindStatusCondition(ra.Status.Conditions, "Rendered")
		if condition == nil {
			return "", nil
		}
		return condition.Message, nil
	}
}
