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
	// True: the flags leave out no subnet that the cluster tells.
	// Do: nothing.
	reasonFlagsAgree = "FlagsAgree"
	// False: the manager tells a subnet that the agent's flags leave out. It is
	// protected all the same; but others may be missing.
	// Do: set the flag that the message names as the cluster was installed.
	reasonFlagsContradict = "FlagsContradict"
)

func setFlags(conditions *[]metav1.Condition, contradictions []string, now time.Time) {
	c := metav1.Condition{Type: v1alpha1.ConditionFlagsAgree, Status: metav1.ConditionTrue, Reason: reasonFlagsAgree,
		Message: "the flags leave out no subnet that the cluster tells"}
	if len(contradictions) > 0 {
		c.Status, c.Reason = metav1.ConditionFalse, reasonFlagsContradict
		c.Message = cut(strings.Join(contradictions, "; ") + ". They are protected all the same; set the flags as the cluster was installed")
	}
	set(conditions, c, now)
}
