package frrk8s_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/manifest"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/snapshot"
)

const (
	goldenFolder = "../../../internal/plan/testdata/golden"
	// sharedNodes are the nodes of goldens that have none of their own.
	sharedNodes = "../../../internal/plan/testdata/cluster.yaml"
)

// goldens are the names of the planner's golden cases, known when the tree of
// specs is built.
var goldens = func() []string {
	inputs, _ := filepath.Glob(filepath.Join(goldenFolder, "*", "in.yaml"))
	names := make([]string, 0, len(inputs))
	for _, input := range inputs {
		names = append(names, filepath.Base(filepath.Dir(input)))
	}
	return names
}()

var _ = It("finds the planner's golden files", func() {
	Expect(goldens).NotTo(BeEmpty())
	objects := 0
	for _, name := range goldens {
		objects += len(readGolden(name).generated)
	}
	Expect(objects).To(BeNumerically(">", len(goldens)), "most goldens have several nodes")
})

func goldenEntries() []TableEntry {
	entries := make([]TableEntry, 0, len(goldens))
	for _, name := range goldens {
		entries = append(entries, Entry(nil, name))
	}
	return entries
}

// golden is one case: a cluster, and what the planner makes of it.
type golden struct {
	nodes []corev1.Node
	// written are the FRRConfigurations of the input: templates, and those of
	// others, in the order of the file.
	written   []frrk8sv1beta1.FRRConfiguration
	generated []*frrk8sv1beta1.FRRConfiguration
}

func readGolden(name string) golden {
	GinkgoHelper()
	folder := filepath.Join(goldenFolder, name)
	in := readObjects(filepath.Join(folder, "in.yaml"))
	g := golden{nodes: in.Nodes, written: in.FRRConfigurations, generated: readGenerated(filepath.Join(folder, "out.yaml"))}
	if len(g.nodes) == 0 {
		g.nodes = readObjects(sharedNodes).Nodes
	}
	return g
}

func readObjects(path string) *snapshot.Objects {
	GinkgoHelper()
	set, err := manifest.Load([]string{path}, nil)
	Expect(err).NotTo(HaveOccurred())
	return set.Objects()
}

// readGenerated reads the FRRConfigurations of an output. The verdicts beside
// them have no kind.
func readGenerated(path string) []*frrk8sv1beta1.FRRConfiguration {
	GinkgoHelper()
	text, err := os.ReadFile(path)
	Expect(err).NotTo(HaveOccurred())
	var out []*frrk8sv1beta1.FRRConfiguration
	for document := range strings.SplitSeq(string(text), "---\n") {
		if !strings.Contains(document, "\nkind: FRRConfiguration\n") {
			continue
		}
		object := &frrk8sv1beta1.FRRConfiguration{}
		Expect(yaml.UnmarshalStrict([]byte(document), object)).To(Succeed(), document)
		out = append(out, object)
	}
	return out
}

// namespaces are those that the golden's objects are in.
func (g *golden) namespaces() []string {
	var out []string
	for i := range g.written {
		out = append(out, g.written[i].Namespace)
	}
	for _, o := range g.generated {
		out = append(out, o.Namespace)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// in is what the frr-k8s of a namespace sees of the golden: only what is in its
// own namespace counts for it.
func (g *golden) in(namespace string) golden {
	out := golden{nodes: g.nodes}
	for i := range g.written {
		if g.written[i].Namespace == namespace {
			out.written = append(out.written, g.written[i])
		}
	}
	for _, o := range g.generated {
		if o.Namespace == namespace {
			out.generated = append(out.generated, o)
		}
	}
	return out
}

// prepare empties the cluster of what earlier specs left and creates nodes and
// namespaces.
func (g *golden) prepare(ctx context.Context) {
	GinkgoHelper()
	empty(ctx)
	for _, namespace := range g.namespaces() {
		createNamespace(ctx, namespace)
	}
	for i := range g.nodes {
		Expect(admin.Create(ctx, g.nodes[i].DeepCopy())).To(Succeed())
	}
}

func empty(ctx context.Context) {
	GinkgoHelper()
	Expect(admin.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed())
	var namespaces []string
	for _, o := range listConfigurations(ctx) {
		namespaces = append(namespaces, o.Namespace)
	}
	for _, namespace := range slices.Compact(namespaces) {
		Expect(admin.DeleteAllOf(ctx, &frrk8sv1beta1.FRRConfiguration{}, client.InNamespace(namespace))).To(Succeed())
	}
}

func listConfigurations(ctx context.Context) []frrk8sv1beta1.FRRConfiguration {
	GinkgoHelper()
	var list frrk8sv1beta1.FRRConfigurationList
	Expect(admin.List(ctx, &list)).To(Succeed())
	return list.Items
}

// applyGenerated writes the generated objects as the operator does, node by
// node, knowing only what is in the cluster: as after a restart.
func (g *golden) applyGenerated(ctx context.Context) (apply.Result, error) {
	GinkgoHelper()
	applier := apply.NewApplier(admin, time.Now)
	live := listConfigurations(ctx)
	var total apply.Result
	for _, node := range g.nodesOfGenerated() {
		var desired []*frrk8sv1beta1.FRRConfiguration
		for _, o := range g.generated {
			if o.Annotations[model.AnnotationNode] == node {
				desired = append(desired, o)
			}
		}
		result, err := applier.Node(ctx, node, desired, liveOf(node, live))
		if err != nil {
			return total, err
		}
		total.Written += result.Written
		total.Unchanged += result.Unchanged
		total.Deleted += result.Deleted
		total.Altered = append(total.Altered, result.Altered...)
	}
	return total, nil
}

func (g *golden) nodesOfGenerated() []string {
	var out []string
	for _, o := range g.generated {
		out = append(out, o.Annotations[model.AnnotationNode])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func liveOf(node string, all []frrk8sv1beta1.FRRConfiguration) []apply.LiveObject {
	var out []apply.LiveObject
	for i := range all {
		if slices.Contains(apply.IndexByNode(&all[i]), apply.NodeIndexKey(node)) {
			out = append(out, apply.Live(&all[i]))
		}
	}
	return out
}

func keyOf(o client.Object) string { return client.ObjectKeyFromObject(o).String() }
