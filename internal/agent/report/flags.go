package report

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
)

// The reasons of FlagsAgree.
//
//reference:reasons NodeRouteState FlagsAgree
const (
	// True: the agent's flags cover every subnet that the manager reports.
	// Do: nothing.
	reasonFlagsAgree = "FlagsAgree"
	// False: the manager reports a subnet that the agent's flags don't cover. The
	// agent protects it anyway, but the flags may lack other subnets too.
	// Do: set the flag that the message names to the value that the cluster was
	// installed with.
	reasonFlagsContradict = "FlagsContradict"
)

func setFlags(conditions *[]metav1.Condition, contradictions []string, now time.Time) {
	c := metav1.Condition{Type: v1alpha1.ConditionFlagsAgree, Status: metav1.ConditionTrue, Reason: reasonFlagsAgree,
		Message: "the flags cover every subnet that the manager reports"}
	if len(contradictions) > 0 {
		c.Status, c.Reason = metav1.ConditionFalse, reasonFlagsContradict
		c.Message = cut(strings.Join(contradictions, "; ") + ". The agent protects these subnets anyway; set the flags to the values that the cluster was installed with")
	}
	set(conditions, c, now)
}
