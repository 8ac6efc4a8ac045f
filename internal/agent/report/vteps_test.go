package report

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/vteps"
)

func TestStatusTellsOfVTEPs(t *testing.T) {
	has := vteps.State{VTEP: "a", Device: "vtep-a", Addresses: []netip.Addr{netip.MustParseAddr("100.64.0.1")}}
	lacks := vteps.State{VTEP: "b", Device: "vtep-b", Reason: vteps.ReasonNotManaged, Problem: "start the agent with --manage-vteps"}
	unread := vteps.State{VTEP: "c", Device: "vtep-c", Reason: vteps.ReasonKernelUnread, Problem: "no"}
	for _, test := range []struct {
		name   string
		report vteps.Report
		want   string
	}{
		{"none", vteps.Report{}, ""},
		{"all well", vteps.Report{VTEPs: []vteps.State{has}}, "True Ready the node has the addresses"},
		{"one lacks its address", vteps.Report{VTEPs: []vteps.State{has, lacks, unread}}, "False NotManaged the node lacks addresses of 2 of 3 VTEPs: b, c; see status.vteps"},
		{"not known", vteps.Report{VTEPs: []vteps.State{unread}}, "Unknown KernelUnread"},
		{"something is left", vteps.Report{Leftover: "busy"}, "False KernelRefused the node has the addresses of VTEPs that the manager gave it; the device of a VTEP that is gone could not be removed: busy"},
	} {
		changes := 0
		v := NewVTEPs(prometheus.NewRegistry(), logr.Discard(), func() { changes++ })
		before := v1alpha1.NodeRouteStateStatus{VTEPs: []v1alpha1.VTEPState{{Name: "before"}}}
		var status v1alpha1.NodeRouteStateStatus
		if v.set(&status, &before, time.Now()); len(status.VTEPs) != 1 || status.VTEPs[0].Name != "before" {
			t.Errorf("%s: before the first pass %+v", test.name, status)
		}
		v.Passed(test.report, errors.New("failed"))
		v.Passed(test.report, nil)
		status = v1alpha1.NodeRouteStateStatus{}
		v.set(&status, &before, time.Now())
		got := ""
		if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVTEPReady); c != nil {
			got = string(c.Status) + " " + c.Reason + " " + c.Message
		}
		if !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") || len(status.VTEPs) != len(test.report.VTEPs) || changes != 1 {
			t.Errorf("%s: %q, %+v after %d changes; want %q", test.name, got, status.VTEPs, changes, test.want)
		}
		if failed := testutil.ToFloat64(v.failures); failed != 1 {
			t.Errorf("%s: %g failures", test.name, failed)
		}
		if len(test.report.VTEPs) == 3 {
			if ready := testutil.ToFloat64(v.ready.WithLabelValues("a", "Ready")); ready != 1 {
				t.Errorf("a is ready: %g", ready)
			}
			if s := status.VTEPs[0]; s.Device != "vtep-a" || len(s.Addresses) != 1 || s.Addresses[0] != "100.64.0.1" || len(s.Conditions) != 1 {
				t.Errorf("%+v", s)
			}
			v.Passed(vteps.Report{}, nil)
			if n := testutil.CollectAndCount(v.ready); n != 0 {
				t.Errorf("%d metrics of VTEPs that are gone", n)
			}
		}
	}
}
