package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frr"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/frrk8s"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// stage is a point that a change passes on its way.
type stage struct {
	name    string
	reached func(context.Context) (bool, error)
}

// lookEvery is how exact the figures are, apart from what looking costs.
const lookEvery = 10 * time.Millisecond

// observe starts a change, waits until it has passed all stages, and keeps how
// long each took since the one before. Stages are looked at in parallel, so
// that looking at one does not delay the others.
func observe(ctx context.Context, measure string, change func(), stages ...stage) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(changeWithin))
	defer cancel()
	times := make([]time.Duration, len(stages))
	problems := make([]error, len(stages))
	var looking sync.WaitGroup
	began := time.Now()
	for i, s := range stages {
		looking.Go(func() { times[i], problems[i] = await(ctx, began, s) })
	}
	change()
	looking.Wait()
	for i, problem := range problems {
		Expect(problem).NotTo(HaveOccurred(), "%s: %s", measure, stages[i].name)
	}
	figures.add(measure, stages, times)
}

func await(ctx context.Context, began time.Time, s stage) (time.Duration, error) {
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for {
		reached, err := s.reached(ctx)
		if reached {
			return time.Since(began), nil
		}
		select {
		case <-ctx.Done():
			return 0, errors.Join(fmt.Errorf("not reached within %s", machine.Patience(changeWithin)), err)
		case <-again.C:
		}
	}
}

// exporting takes the time from a change until a router has a path to a
// node's prefix.
func exporting(ctx context.Context, l *lab.Lab, change func(), node *lab.Node, prefix netip.Prefix, r *lab.Router) {
	GinkgoHelper()
	observe(ctx, "apply until the prefix is on the router", change,
		stage{"manager", generatedHas(l, node, prefix, true)},
		stage{"frr-k8s", fileHas(node.Machine, prefix, true)},
		stage{"FRR, node", pathIs(node.FRR, prefix, true)},
		stage{"FRR, sent", pathIs(r, prefix, true)})
}

// withdrawing takes the time from a change until a router has no path to a
// node's prefix any more.
func withdrawing(ctx context.Context, l *lab.Lab, change func(), node *lab.Node, prefix netip.Prefix, r *lab.Router) {
	GinkgoHelper()
	observe(ctx, "delete until the prefix is gone from the router", change,
		stage{"manager", generatedHas(l, node, prefix, false)},
		stage{"frr-k8s", fileHas(node.Machine, prefix, false)},
		stage{"FRR, node", pathIs(node.FRR, prefix, false)},
		stage{"FRR, sent", pathIs(r, prefix, false)})
}

// importing takes the time from a router's announcement until a row is in a
// node's OVN and, with a pod there, until its packets arrive at the address.
func importing(ctx context.Context, l *lab.Lab, change func(), node *lab.Node, prefix netip.Prefix, pod *machine.Machine, to netip.Addr) {
	GinkgoHelper()
	stages := []stage{
		{"FRR, BGP", pathIs(node.FRR, prefix, true)},
		{"FRR, kernel", func(context.Context) (bool, error) { return kernelHas(node.Machine, prefix) }},
		{"agent", rowIs(l, node, prefix, true)},
	}
	if pod != nil {
		stages = append(stages, stage{"OVN, first packet", answered(pod, to)})
	}
	observe(ctx, "announcement until packets follow the route", change, stages...)
}

// unlearning takes the time from a router's withdrawal until the row is gone.
func unlearning(ctx context.Context, l *lab.Lab, change func(), node *lab.Node, prefix netip.Prefix) {
	GinkgoHelper()
	observe(ctx, "withdrawal until the row is gone from OVN", change,
		stage{"FRR, BGP", pathIs(node.FRR, prefix, false)},
		stage{"FRR, kernel", func(context.Context) (bool, error) {
			has, err := kernelHas(node.Machine, prefix)
			return !has && err == nil, err
		}},
		stage{"agent", rowIs(l, node, prefix, false)})
}

// generatedHas looks into the FRRConfigurations that the manager writes.
func generatedHas(l *lab.Lab, node *lab.Node, prefix netip.Prefix, want bool) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		var all frrk8sv1beta1.FRRConfigurationList
		if err := l.Kube.Client.List(ctx, &all, client.InNamespace(frrk8s.Namespace), client.HasLabels{"ovnbgp.io/generated"}); err != nil {
			return false, err
		}
		found := slices.ContainsFunc(all.Items, func(c frrk8sv1beta1.FRRConfiguration) bool {
			return c.Spec.NodeSelector.MatchLabels["kubernetes.io/hostname"] == node.Name &&
				slices.ContainsFunc(c.Spec.BGP.Routers, func(r frrk8sv1beta1.Router) bool {
					return slices.Contains(r.Prefixes, prefix.String())
				})
		})
		return found == want, nil
	}
}

func fileHas(m *machine.Machine, prefix netip.Prefix, want bool) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		text, err := m.ReadFile(frrk8s.ConfigFile)
		return err == nil && strings.Contains(text, "network "+prefix.String()+"\n") == want, err
	}
}

func pathIs(f interface {
	Paths(ctx context.Context, vrf string, prefix netip.Prefix) ([]frr.Path, error)
}, prefix netip.Prefix, want bool) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		paths, err := f.Paths(ctx, "", prefix)
		return err == nil && len(paths) > 0 == want, err
	}
}

func rowIs(l *lab.Lab, node *lab.Node, prefix netip.Prefix, want bool) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		rows, err := rowsTo(ctx, l, node.Name, prefix)
		return err == nil && len(rows) > 0 == want, err
	}
}

// answered tries again sooner than TCP would: after a second.
func answered(from *machine.Machine, to netip.Addr) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		_, err := probe.Ask(ctx, from, to)
		return err == nil, err
	}
}

// figures are those of the whole run.
var figures ledger

type ledger struct {
	sync.Mutex
	measures []*measure
}

type measure struct {
	name   string
	stages []string
	// taken are the stages' own times and, last, their sum.
	taken [][]time.Duration
}

func (l *ledger) add(name string, stages []stage, times []time.Duration) {
	l.Lock()
	defer l.Unlock()
	var m *measure
	for _, known := range l.measures {
		if known.name == name && len(known.stages) == len(stages) {
			m = known
		}
	}
	if m == nil {
		m = &measure{name: name}
		for _, s := range stages {
			m.stages = append(m.stages, s.name)
		}
		l.measures = append(l.measures, m)
	}
	var own []time.Duration
	var before time.Duration
	for _, at := range times {
		// What is seen early was seen late before.
		own = append(own, max(0, at-before))
		before = max(before, at)
	}
	m.taken = append(m.taken, append(own, before))
}

// String is a table per measure: median and worst of each stage.
func (l *ledger) String() string {
	l.Lock()
	defer l.Unlock()
	var text strings.Builder
	for _, m := range l.measures {
		fmt.Fprintf(&text, "\n%s (%d times), seconds\n", m.name, len(m.taken))
		table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', tabwriter.AlignRight)
		fmt.Fprintf(table, "\t%s\tin all\t\n", strings.Join(m.stages, "\t"))
		for _, statistic := range []struct {
			name string
			of   func([]time.Duration) time.Duration
		}{{"median", median}, {"worst", slices.Max[[]time.Duration]}} {
			fmt.Fprintf(table, "%s\t", statistic.name)
			for column := range len(m.stages) + 1 {
				var values []time.Duration
				for _, one := range m.taken {
					values = append(values, one[column])
				}
				fmt.Fprintf(table, "%.2f\t", statistic.of(values).Seconds())
			}
			fmt.Fprintln(table)
		}
		_ = table.Flush()
	}
	return text.String()
}

func median(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// The tables are kept whether or not something failed; hack/e2e.sh prints them
// at its end.
var _ = ReportAfterSuite("Convergence", func(Report) {
	if evidence == "" {
		return
	}
	var text strings.Builder
	if table := figures.String(); table != "" {
		fmt.Fprintf(&text, "Convergence on %s; frr-k8s collects changes for %s before it writes,\n"+
			"and FRR sends what changed route-maps allow up to 5s later (bgp route-map delay-timer)\n%s",
			machine.ThisKernel(), lab.Default().Debounce, table)
	}
	text.WriteString(outageTable())
	if text.Len() == 0 {
		return
	}
	if os.Getenv("OVNBGP_LAB_EVIDENCE") == "" {
		fmt.Printf("\n%s\n", text.String())
	}
	Expect(os.MkdirAll(evidence, 0o755)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(evidence, "convergence.txt"), []byte(text.String()), 0o644)).To(Succeed())
})
