package e2e_test

import (
	"context"
	"fmt"
	"math"
	"strings"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/kube"
)

// expectNothingLeft waits until everything of a spec is gone, so that the next
// one starts from nothing, and so that withdrawal is tested by every spec.
func expectNothingLeft(ctx context.Context, l *lab.Lab) {
	GinkgoHelper()
	awaitNothing(ctx, Default, func(ctx context.Context) ([]string, int, error) {
		left, err := leftovers(ctx, l)
		if err != nil || len(left) == 0 {
			return left, 0, err
		}
		lines := 0
		for _, n := range l.Nodes {
			config, err := n.FRR.BGPConfig(ctx)
			if err != nil {
				return left, 0, err
			}
			lines += strings.Count(config, "\n")
		}
		return left, lines, nil
	})
}

// awaitNothing waits until look finds nothing left, for as long as that gets
// less, or FRR's configuration does. frr-k8s' reload takes away line by line, with
// a vtysh for each; in an emulated machine beside other work some reloads take
// five minutes. To stand still for as long as a change may take is the failure,
// and so is to come back.
func awaitNothing(ctx context.Context, g Gomega, look func(context.Context) (left []string, lines int, err error)) {
	GinkgoHelper()
	for least := math.MaxInt; least > 0; {
		var left []string
		now := 0
		g.Eventually(ctx, func(ctx context.Context) (int, error) {
			found, lines, err := look(ctx)
			if err != nil {
				return math.MaxInt, err
			}
			left, now = found, len(found)+lines
			if len(left) == 0 {
				now = 0
			}
			return now, nil
		}).Should(BeNumerically("<", least), func() string {
			return fmt.Sprintf("of the spec is left, and does not get less: %q", left)
		})
		least = now
	}
}

func leftovers(ctx context.Context, l *lab.Lab) ([]string, error) {
	var left []string
	for _, list := range []client.ObjectList{
		&ovnv1.RouteAdvertisementsList{}, &ovnv1.ClusterUserDefinedNetworkList{},
		&ovnv1.EgressIPList{}, &ovnv1.VTEPList{}, &frrk8sv1beta1.FRRConfigurationList{},
		&v1alpha1.RoutePolicyList{}, &v1alpha1.DrainPolicyList{},
	} {
		if err := l.Kube.Client.List(ctx, list); err != nil {
			return nil, err
		}
		err := meta.EachListItem(list, func(o runtime.Object) error {
			object := o.(client.Object)
			left = append(left, fmt.Sprintf("%T %s", object, object.GetName()))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, r := range l.Routers {
		for _, ipv4 := range l.Families() {
			prefixes, err := r.Prefixes(ctx, "", ipv4)
			if err != nil {
				return nil, err
			}
			for _, prefix := range prefixes {
				left = append(left, prefix+" on "+r.Name)
			}
		}
	}
	for _, n := range l.Nodes {
		routes, err := kernelRoutes(n.Machine)
		if err != nil {
			return nil, err
		}
		for _, route := range routes {
			left = append(left, fmt.Sprintf("%s via %v in table %d of %s's kernel", route.Destination, route.NextHops, route.Table, n.Name))
		}
		rows, err := importedRows(ctx, l, n.Name)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			left = append(left, fmt.Sprintf("%s by %s in OVN of %s", row.Prefix, row.OutputPort, n.Name))
		}
	}
	return left, nil
}

func parse(manifests ...string) []*unstructured.Unstructured {
	GinkgoHelper()
	var all []*unstructured.Unstructured
	for _, manifest := range manifests {
		objects, err := kube.Parse(manifest)
		Expect(err).NotTo(HaveOccurred())
		all = append(all, objects...)
	}
	return all
}
