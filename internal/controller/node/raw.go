package node

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/apply"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/canary"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/phrase"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

// maxRefusal cuts what is noted of a text that FRR did not take.
const maxRefusal = 512

// rawDecision is what the objects of a node get that may not have its raw text.
type rawDecision struct {
	// keep are the texts that it keeps, by namespace.
	keep map[string]string
	// refused is noted on its objects.
	refused string
	// withdraws is set if a text is taken off the node.
	withdraws bool
}

func (d *rawDecision) finish(objects []*frrk8sv1beta1.FRRConfiguration) {
	render.KeepRaw(objects, d.keep)
	if d.refused != "" {
		render.NoteRawRefused(objects, d.refused)
	}
}

// planned is the node's plan, with as much raw text as it may have.
func (j *job) planned(ctx context.Context) attempt {
	whole := j.attempt(nil)
	if j.Raw == nil || !j.node.Raw.On() || whole.plan.Keep {
		return whole
	}
	live := j.Applier.Current(j.node.Name, j.live)
	decision := j.Raw.Decide(j.node.Name, j.raw(&whole, live))
	if len(decision.Wake) > 0 {
		j.Rollout.Again(decision.Wake)
		j.Nodes.Later(decision.Wake...)
	}
	j.Metrics.Raw(j.Raw.Counts())
	if decision.State.On() {
		return whole
	}
	if decision.Refusal.Kind != 0 && !slices.ContainsFunc(live, func(o apply.LiveObject) bool { return o.RawRefused != "" }) {
		log.FromContext(ctx).Info("The node's FRR did not take the raw text, which is taken off the node", "reason", decision.Refusal.Message)
	}
	j.node.Raw = decision.State
	j.withheld.refused = noteOf(decision.Refusal)
	j.withheld.withdraws = !decision.Keep && slices.ContainsFunc(live, func(o apply.LiveObject) bool { return o.Raw != "" })
	if decision.Keep {
		j.withheld.keep = map[string]string{}
		for _, o := range live {
			if o.Raw != "" {
				j.withheld.keep[o.Namespace] = o.Raw
			}
		}
	}
	return j.attempt(nil)
}

// raw is what is known of the node's raw text.
func (j *job) raw(whole *attempt, live []apply.LiveObject) canary.Node {
	out := canary.Node{Up: j.node.Maintenance.Up()}
	var wanted, has []string
	for _, o := range whole.objects {
		if o.Spec.Raw.Config != "" {
			wanted = append(wanted, o.Spec.Raw.Config)
		}
	}
	for i := range live {
		if live[i].Raw != "" {
			has = append(has, live[i].Raw)
		}
		out.Refusal = cmp.Or(out.Refusal, refusalIn(live[i].RawRefused))
	}
	out.Wanted, out.Live = rawText(wanted), rawText(has)
	if j.state == nil {
		return out
	}
	status := &j.state.Status
	out.Report = canary.Report{Known: true, OK: status.LastConversionResult == success && status.LastReloadResult == success}
	if status.LastReloadResult != success {
		out.Report.Failure = phrase.Cut(phrase.Line(status.LastReloadResult), maxRefusal)
	}
	if len(has) > 0 {
		origins := apply.OriginsOf(j.state)
		out.Report.Runs = !slices.ContainsFunc(has, func(text string) bool { return !origins.HasRaw(render.RawMark(text)) })
	}
	return out
}

// rawText is what matters of a node's texts, which are one for each namespace.
func rawText(texts []string) canary.Text {
	var out canary.Text
	if len(texts) == 0 {
		return out
	}
	for _, text := range texts {
		out.Forms = append(out.Forms, render.RawForms(text)...)
	}
	slices.Sort(out.Forms)
	out.Forms = slices.Compact(out.Forms)
	out.Digest = xxhash.Sum64String(strings.Join(texts, "\x00"))
	return out
}

// noteOf is how a refusal is noted.
func noteOf(r canary.Refusal) string {
	if r.Kind == 0 {
		return ""
	}
	return fmt.Sprintf("%016x %s", r.Kind, r.Message)
}

// refusalIn reads what noteOf wrote. What somebody else wrote there is no refusal.
func refusalIn(note string) canary.Refusal {
	kind, message, _ := strings.Cut(note, " ")
	number, err := strconv.ParseUint(kind, 16, 64)
	if err != nil {
		return canary.Refusal{}
	}
	return canary.Refusal{Kind: number, Message: message}
}
