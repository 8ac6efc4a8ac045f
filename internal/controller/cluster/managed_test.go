package cluster

import (
	"context"
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/controller/current"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

// writer refuses what it is to apply, as long as it is down.
type writer struct {
	client.Writer
	down bool
}

func (w *writer) Apply(context.Context, runtime.ApplyConfiguration, ...client.ApplyOption) error {
	if w.down {
		return errors.New("the API server is down")
	}
	return nil
}

func TestAManagedObjectThatIsNotWrittenIsTold(t *testing.T) {
	objects := &snapshot.Objects{CUDNs: []ovnv1.ClusterUserDefinedNetwork{{
		ObjectMeta: metav1.ObjectMeta{Name: "blue"},
		Spec: ovnv1.ClusterUserDefinedNetworkSpec{Network: ovnv1.NetworkSpec{
			Topology: ovnv1.NetworkTopologyLayer3, Layer3: &ovnv1.Layer3Config{Role: ovnv1.NetworkRolePrimary},
			Transport: ovnv1.TransportNoOverlay, NoOverlay: &ovnv1.NoOverlayConfig{Routing: ovnv1.RoutingManaged},
		}},
	}}}
	api := &writer{down: true}
	r := &Reconciler{Writer: api, Findings: &current.ControllerFindings{}, Settings: model.Settings{Managed: model.ManagedRouting{ASN: 64512, Namespace: "frr"}}}
	if err := r.keepManaged(t.Context(), objects); err == nil {
		t.Error("no error, so that nobody tries again")
	}
	if told := r.Findings.Of(model.ManagedName); len(told) != 1 || told[0].Reason != "ManagedNotWritten" || told[0].Outcome != model.Retryable {
		t.Errorf("told %+v", told)
	}
	api.down = false
	if err := r.keepManaged(t.Context(), objects); err != nil || len(r.Findings.Of(model.ManagedName)) > 0 {
		t.Errorf("%v, and it goes on telling %+v", err, r.Findings.Of(model.ManagedName))
	}
}
