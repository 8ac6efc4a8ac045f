package report

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/evpn"
)

func carried(name string) evpn.State {
	return evpn.State{
		Network: name, VTEP: "fabric", Endpoint: netip.MustParseAddr("100.64.0.1"), Bridge: "evbr-fabric", ByOVNKubernetes: true,
		RouterMAC: "02:00:00:00:00:01", MTU: 1400, Underlay: "eth0", UnderlayMTU: 1500,
		MACVRF: evpn.VPNState{VPN: evpn.VPN{VNI: 110, VID: 11}, Carried: true, SVI: "svl2-blue", LocalMACs: 3, LocalAddresses: 6, RemoteMACs: 7, RemoteAddresses: 9, RemoteEndpoints: 4},
	}
}

func lacking(name string, reason evpn.Reason) evpn.State {
	s := carried(name)
	s.Reason, s.Problem = reason, "it lacks something"
	return s
}

func newEVPN() (e *EVPN, changes *int) {
	changes = new(int)
	return NewEVPN(prometheus.NewRegistry(), logr.Discard(), func() { *changes++ }), changes
}

func (e *EVPN) statusAfter(before *v1alpha1.NodeRouteStateStatus, vteps ...string) v1alpha1.NodeRouteStateStatus {
	out := v1alpha1.NodeRouteStateStatus{Conditions: before.Conditions}
	e.set(&out, before, vteps, time.Now())
	return out
}

func evpnReady(status *v1alpha1.NodeRouteStateStatus) string {
	c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionEVPNReady)
	if c == nil {
		return "none"
	}
	return fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
}

func TestStatusTellsOfEVPN(t *testing.T) {
	for _, test := range []struct {
		name   string
		states []evpn.State
		vteps  []string
		want   string
	}{
		{"no EVPN", nil, nil, "none"},
		{"all well", []evpn.State{carried("cluster_udn_blue")}, nil, "True Ready: the EVPN devices of all 1 networks are set up correctly"},
		{"one lacks something", []evpn.State{lacking("cluster_udn_a", evpn.ReasonNetworkUnknown), carried("cluster_udn_b"), lacking("cluster_udn_c", evpn.ReasonMTUTooSmall)}, nil,
			"False MTUTooSmall: the EVPN devices of 2 of 3 networks are not set up correctly: cluster_udn_a, cluster_udn_c; see status.evpn"},
		{"one is not known", []evpn.State{lacking("cluster_udn_a", evpn.ReasonKernelUnread)}, nil, "Unknown KernelUnread"},
		{"a VTEP without an address", []evpn.State{carried("cluster_udn_b")}, []string{`VTEP "x": none`}, `False VTEPUnusable: VTEP "x": none; the EVPN devices of all 1`},
		{"no other VTEP", nil, []string{`VTEP "x": none`}, `False VTEPUnusable: VTEP "x": none`},
	} {
		e, _ := newEVPN()
		e.Looked(evpn.Report{Networks: test.states})
		if status := e.statusAfter(&v1alpha1.NodeRouteStateStatus{}, test.vteps...); !strings.HasPrefix(evpnReady(&status), test.want) || len(status.EVPN) != len(test.states) {
			t.Errorf("%s: %s, with %d networks; want %s", test.name, evpnReady(&status), len(status.EVPN), test.want)
		}
	}
}

func TestStatusOfEVPNNetwork(t *testing.T) {
	e, _ := newEVPN()
	e.Looked(evpn.Report{Networks: []evpn.State{carried("cluster_udn_blue")}})
	first := e.statusAfter(&v1alpha1.NodeRouteStateStatus{})
	got := first.EVPN[0]
	if got.Endpoint != "100.64.0.1" || got.MadeBy != "OVN-Kubernetes" || got.IPVRF != nil || got.UnderlayMTU != 1500 ||
		*got.MACVRF != (v1alpha1.EVPNVRFState{VNI: 110, VID: 11, Carried: true, SVI: "svl2-blue", LocalMACs: 3, LocalAddresses: 6, RemoteMACs: 7, RemoteAddresses: 9, RemoteEndpoints: 4}) {
		t.Errorf("%+v, %+v", got, got.MACVRF)
	}
	if c := got.Conditions[0]; c.Status != "True" || !strings.Contains(c.Message, "evbr-fabric") {
		t.Errorf("%+v", c)
	}
	// An agent that was started again does not know yet.
	again, _ := newEVPN()
	if still := again.statusAfter(&first); len(still.EVPN) != 1 || evpnReady(&still) != evpnReady(&first) {
		t.Errorf("before the first look: %+v", still)
	}
	again.Looked(evpn.Report{})
	if gone := again.statusAfter(&first); len(gone.EVPN) != 0 || evpnReady(&gone) != "none" {
		t.Errorf("without EVPN: %+v", gone)
	}
}

// TestEVPNIsBounded: an object has to fit into etcd, and what is amiss has to be in it.
func TestEVPNIsBounded(t *testing.T) {
	var states []evpn.State
	for i := range 2 * maxEVPN {
		state := carried(fmt.Sprintf("cluster_udn_%04d", i))
		if i%100 == 99 {
			state = lacking(state.Network, evpn.ReasonBridgeMissing)
			state.Problem = strings.Repeat("long ", 1000)
		}
		states = append(states, state)
	}
	e, _ := newEVPN()
	e.Looked(evpn.Report{Networks: states})
	status := e.statusAfter(&v1alpha1.NodeRouteStateStatus{})
	lack := 0
	for i := range status.EVPN {
		if i > 0 && status.EVPN[i-1].Name >= status.EVPN[i].Name {
			t.Fatalf("%s comes before %s", status.EVPN[i-1].Name, status.EVPN[i].Name)
		}
		c := status.EVPN[i].Conditions[0]
		if c.Status == "False" {
			lack++
		}
		if len(c.Message) > maxMessage {
			t.Errorf("a message of %d bytes", len(c.Message))
		}
	}
	if len(status.EVPN) != maxEVPN || lack != 2*maxEVPN/100 {
		t.Errorf("%d networks, of which %d lack something", len(status.EVPN), lack)
	}
}

func TestEVPNChangesAreTold(t *testing.T) {
	registry := prometheus.NewRegistry()
	changes := 0
	e := NewEVPN(registry, logr.Discard(), func() { changes++ })
	ready := func() string {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, f := range families {
			for _, m := range f.GetMetric() {
				out = append(out, fmt.Sprintf("%s %s=%g", m.GetLabel()[0].GetValue(), m.GetLabel()[1].GetValue(), m.GetGauge().GetValue()))
			}
		}
		return strings.Join(out, ", ")
	}
	client := &recorder{}
	w := &Writer{Client: client, Node: "n1", Log: logr.Discard(), written: &v1alpha1.NodeRouteState{}}
	w.Init()
	look := func(states ...evpn.State) {
		e.Looked(evpn.Report{Networks: states})
		status := e.statusAfter(&v1alpha1.NodeRouteStateStatus{})
		w.tellCondition(context.Background(), w.toldEVPN, "CheckEVPN", meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionEVPNReady))
	}
	for _, test := range []struct {
		states  []evpn.State
		changes int
		metrics string
		events  int
	}{
		{nil, 1, "", 0},
		{[]evpn.State{carried("a"), carried("b")}, 2, "a Ready=1, b Ready=1", 0},
		{[]evpn.State{carried("a"), carried("b")}, 2, "a Ready=1, b Ready=1", 0},
		{[]evpn.State{lacking("a", evpn.ReasonBridgeMissing), lacking("b", evpn.ReasonBridgeMissing)}, 3, "a BridgeMissing=0, b BridgeMissing=0", 1},
		{[]evpn.State{lacking("a", evpn.ReasonKernelUnread)}, 4, "a KernelUnread=0", 1},
		{[]evpn.State{carried("a")}, 5, "a Ready=1", 2},
	} {
		look(test.states...)
		if changes != test.changes || ready() != test.metrics || len(client.events) != test.events {
			t.Errorf("%+v: %d changes, metrics %q, events %q; want %d, %q, %d", test.states, changes, ready(), client.events, test.changes, test.metrics, test.events)
		}
	}
}

// TestDevicesOfTheAgent: the state says who made them, and what could not be removed.
func TestDevicesOfTheAgent(t *testing.T) {
	e, _ := newEVPN()
	state := carried("cluster_udn_blue")
	state.ByOVNKubernetes, state.ByAgent = false, true
	report := evpn.Report{Networks: []evpn.State{state}, Changes: []evpn.Change{{Network: state.Network}, {Network: state.Network}}}
	e.Looked(report)
	status := e.statusAfter(&v1alpha1.NodeRouteStateStatus{})
	if status.EVPN[0].MadeBy != "Agent" || !strings.HasPrefix(evpnReady(&status), "True") {
		t.Errorf("%+v: %s", status.EVPN[0], evpnReady(&status))
	}
	if got := testutil.ToFloat64(e.changes.WithLabelValues(state.Network)); got != 2 {
		t.Errorf("%v changes", got)
	}
	for _, networks := range [][]evpn.State{{state}, nil} {
		e.Looked(evpn.Report{Networks: networks, Leftover: "cannot delete device evbr-old"})
		status = e.statusAfter(&status)
		if got := evpnReady(&status); !strings.HasPrefix(got, "False KernelRefused") || !strings.Contains(got, "evbr-old") {
			t.Errorf("%d networks: %s", len(networks), got)
		}
	}
	e.Looked(evpn.Report{})
	if status = e.statusAfter(&status); evpnReady(&status) != "none" {
		t.Errorf("after all: %s", evpnReady(&status))
	}
}
