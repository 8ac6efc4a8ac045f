package preview

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// withDrainStatus gives each policy the conditions that the manager would write.
func withDrainStatus(objects []v1alpha1.DrainPolicy, verdicts []model.DrainVerdict) []*v1alpha1.DrainPolicy {
	var out []*v1alpha1.DrainPolicy
	for i := range verdicts {
		at := slices.IndexFunc(objects, func(p v1alpha1.DrainPolicy) bool { return p.Name == verdicts[i].Policy })
		policy := objects[at].DeepCopy()
		policy.Status.Conditions = status.DrainConditions(&verdicts[i], policy.Status.Conditions, metav1.Time{})
		out = append(out, policy)
	}
	return out
}

// withdrawals say what a node withdraws.
var withdrawals = map[model.Withdrawal]string{
	"": "nothing yet", model.WithdrawShared: "what others advertise, too", model.WithdrawEverything: "everything",
}

// draining prints the nodes that drain, of those that are shown.
func (p *printer) draining(preview *Preview) {
	lines := []string{"  NODE\tDRAINPOLICY\tBECAUSE OF\tWITHDRAWS"}
	for i := range preview.Plan.Drains {
		for _, d := range preview.Plan.Drains[i].Draining {
			if !slices.ContainsFunc(preview.Plan.Nodes, func(n model.NodePlan) bool { return n.Node == d.Node }) {
				continue
			}
			why := cmp.Or(strings.Join(d.Triggers, ", "), "nothing any more")
			lines = append(lines, "  "+strings.Join([]string{d.Node, d.Policy, why, withdrawals[d.Withdraws]}, "\t"))
		}
	}
	if len(lines) == 1 {
		return
	}
	p.printf("DRAINING\n")
	p.rows(lines)
	p.printf("\n")
}
