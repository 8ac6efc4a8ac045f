package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// advertisement is a prefix that a node's router in a VRF advertises to a neighbor.
type advertisement struct{ node, vrf, prefix, neighbor string }

func (a advertisement) String() string {
	return fmt.Sprintf("%s to %s in VRF %s of node %s", a.prefix, a.neighbor, a.vrf, a.node)
}

// vrfImport is a VRF from which a node's router in another VRF imports routes.
type vrfImport struct{ node, vrf, from string }

func (i vrfImport) String() string {
	return fmt.Sprintf("VRF %s into VRF %s of node %s", i.from, i.vrf, i.node)
}

// state is what the API server has of the operator's work.
type state struct {
	objects []ovnv1.RouteAdvertisements
	// Both are over all generated FRRConfigurations, sorted.
	advertisements []advertisement
	imports        []vrfImport
}

// read reads all RouteAdvertisements and generated FRRConfigurations.
func (c *cluster) read(ctx context.Context) (state, error) {
	var ras ovnv1.RouteAdvertisementsList
	if err := c.client.List(ctx, &ras); err != nil {
		return state{}, err
	}
	var generated frrk8sv1beta1.FRRConfigurationList
	if err := c.client.List(ctx, &generated, client.HasLabels{model.LabelGenerated}); err != nil {
		return state{}, err
	}
	now := state{objects: ras.Items}
	for i := range generated.Items {
		object := &generated.Items[i]
		node := object.Annotations[model.AnnotationNode]
		for j := range object.Spec.BGP.Routers {
			now.add(node, &object.Spec.BGP.Routers[j])
		}
	}
	slices.SortFunc(now.advertisements, func(a, b advertisement) int {
		return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.vrf, b.vrf),
			cmp.Compare(a.prefix, b.prefix), cmp.Compare(a.neighbor, b.neighbor))
	})
	slices.SortFunc(now.imports, func(a, b vrfImport) int {
		return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.vrf, b.vrf), cmp.Compare(a.from, b.from))
	})
	return now, nil
}

func (s *state) add(node string, router *frrk8sv1beta1.Router) {
	vrf := cmp.Or(router.VRF, model.DefaultVRF)
	for i := range router.Neighbors {
		neighbor := &router.Neighbors[i]
		for _, prefix := range neighbor.ToAdvertise.Allowed.Prefixes {
			s.advertisements = append(s.advertisements,
				advertisement{node, vrf, prefix, cmp.Or(neighbor.Address, neighbor.Interface)})
		}
	}
	for _, imported := range router.Imports {
		s.imports = append(s.imports, vrfImport{node, vrf, imported.VRF})
	}
}

// describe says what is new since before.
func (s *state) describe(before state) string {
	var text strings.Builder
	for i := range s.objects {
		ra := &s.objects[i]
		known := slices.ContainsFunc(before.objects, func(other ovnv1.RouteAdvertisements) bool {
			return other.Name == ra.Name
		})
		if known {
			continue
		}
		fmt.Fprintf(&text, "\n   RouteAdvertisements %s\n", ra.Name)
		for _, condition := range ra.Status.Conditions {
			fmt.Fprintf(&text, "     %s %s: %s\n", condition.Type, condition.Status, condition.Message)
		}
	}
	writeTable(&text, []string{"NODE", "VRF", "ADVERTISES", "TO NEIGHBOR"}, added(before.advertisements, s.advertisements),
		func(a advertisement) []string { return []string{a.node, a.vrf, a.prefix, a.neighbor} })
	writeTable(&text, []string{"NODE", "VRF", "IMPORTS FROM"}, added(before.imports, s.imports),
		func(i vrfImport) []string { return []string{i.node, i.vrf, i.from} })
	return text.String()
}

// writeTable writes rows in columns, or nothing if there are none.
func writeTable[T any](text *strings.Builder, header []string, rows []T, cells func(T) []string) {
	if len(rows) == 0 {
		return
	}
	table := tabwriter.NewWriter(text, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "\n     %s\n", strings.Join(header, "\t"))
	for _, row := range rows {
		fmt.Fprintf(table, "     %s\n", strings.Join(cells(row), "\t"))
	}
	_ = table.Flush() // A strings.Builder takes everything.
}

// added returns what is in now and not in before.
func added[T comparable](before, now []T) []T {
	return slices.DeleteFunc(slices.Clone(now), func(t T) bool { return slices.Contains(before, t) })
}
