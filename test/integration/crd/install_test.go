// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	crds "github.com/ovn-bgp-operator/ovn-bgp-operator/config/crd"
)

var _ = Describe("what the API server serves", func() {
	DescribeTable("names, scope and subresources",
		func(kind, plural, singular, shortName string, statusIsSubresource bool) {
			served := map[string]metav1.APIResource{}
			discoverer, err := discovery.NewDiscoveryClientForConfig(config)
			Expect(err).NotTo(HaveOccurred())
			list, err := discoverer.ServerResourcesForGroupVersion(ovnv1.GroupVersion.String())
			Expect(err).NotTo(HaveOccurred())
			for _, entry := range list.APIResources {
				served[entry.Name] = entry
			}

			Expect(served).To(HaveKey(plural))
			Expect(served[plural].Kind).To(Equal(kind))
			Expect(served[plural].SingularName).To(Equal(singular))
			Expect(served[plural].Namespaced).To(BeFalse())
			if shortName == "" {
				Expect(served[plural].ShortNames).To(BeEmpty())
			} else {
				Expect(served[plural].ShortNames).To(ConsistOf(shortName))
			}
			if statusIsSubresource {
				Expect(served).To(HaveKey(plural + "/status"))
			} else {
				Expect(served).NotTo(HaveKey(plural + "/status"))
			}
		},
		Entry(nil, "RouteAdvertisements", "routeadvertisements", "routeadvertisements", "ra", true),
		Entry(nil, "ClusterUserDefinedNetwork", "clusteruserdefinednetworks", "clusteruserdefinednetwork", "cudn", true),
		Entry(nil, "EgressIP", "egressips", "egressip", "eip", false),
		Entry(nil, "VTEP", "vteps", "vtep", "", true),
	)

	DescribeTable("columns of kubectl get",
		func(ctx context.Context, plural string, object client.Object, want ...string) {
			object.SetName("columns")
			Expect(api.Create(ctx, object)).To(Succeed())
			DeferCleanup(func(ctx context.Context) { Expect(api.Delete(ctx, object)).To(Succeed()) })

			discoverer, err := discovery.NewDiscoveryClientForConfig(config)
			Expect(err).NotTo(HaveOccurred())
			var table metav1.Table
			raw, err := discoverer.RESTClient().Get().
				AbsPath("/apis", ovnv1.GroupVersion.Group, ovnv1.GroupVersion.Version, plural).
				SetHeader("Accept", "application/json;as=Table;g=meta.k8s.io;v=v1").
				Do(ctx).Raw()
			Expect(err).NotTo(HaveOccurred())
			decodeJSON(raw, &table)

			var columns []string
			for _, column := range table.ColumnDefinitions {
				columns = append(columns, column.Name)
			}
			Expect(columns).To(Equal(want))
		},
		Entry(nil, "routeadvertisements", advertisedDefault(), "Name", "Status"),
		Entry(nil, "clusteruserdefinednetworks", layer3Network(), "Name", "Age"),
		Entry(nil, "egressips", oneEgressIP(), "Name", "EgressIPs", "Assigned Node", "Assigned EgressIPs"),
		Entry(nil, "vteps", oneVTEP(), "Name", "Accepted", "Reason"),
	)

	It("embeds the same files", func() {
		files, err := crds.Bases.ReadDir("bases")
		Expect(err).NotTo(HaveOccurred())
		var names []string
		for _, file := range files {
			names = append(names, file.Name())
		}
		Expect(names).To(ConsistOf(
			"k8s.ovn.org_clusteruserdefinednetworks.yaml",
			"k8s.ovn.org_egressips.yaml",
			"k8s.ovn.org_routeadvertisements.yaml",
			"k8s.ovn.org_vteps.yaml",
			"ovnbgp.io_drainpolicies.yaml",
			"ovnbgp.io_nodenetworks.yaml",
			"ovnbgp.io_noderoutestates.yaml",
			"ovnbgp.io_routepolicies.yaml",
		))
	})
})
