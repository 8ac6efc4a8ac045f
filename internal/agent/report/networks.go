package report

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/nodenetworks"
)

// The reasons of NetworksKnown.
//
//reference:reasons NodeRouteState NetworksKnown
const (
	// True: the agent follows the node's NodeNetworks.
	// Do: nothing.
	reasonNetworksKnown = "NetworksKnown"
	// True: the manager is newer than the agent and writes fields that the agent
	// doesn't understand. The agent follows all the others.
	// Do: upgrade the agent.
	reasonManagerIsNewer = "ManagerIsNewer"
	// False: there is no NodeNetworks object for the node. What was imported stays,
	// and the agent keeps using the last object it saw.
	// Do: check that the manager runs, that it is of the agent's version, and that
	// the CRD is installed; look at the conditions of RouteAdvertisements for what
	// keeps the node from being planned.
	reasonNotPublished = "NotPublished"
	// False: the agent can't use the object. It keeps using the last one that it
	// could use.
	// Do: undo manual changes, or delete the object: the manager writes it again.
	reasonNetworksUnusable = "NetworksUnusable"
)

func setNetworks(conditions *[]metav1.Condition, known *nodenetworks.State, now time.Time) {
	c := metav1.Condition{Type: v1alpha1.ConditionNetworksKnown, Status: metav1.ConditionTrue, Reason: reasonNetworksKnown, Message: "the agent follows the node's NodeNetworks"}
	switch {
	case known.Absent:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, reasonNotPublished, known.Trouble()+". What was imported stays"
	case known.Unusable != "":
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, reasonNetworksUnusable, cut(known.Trouble())
	case known.NotUnderstood != "":
		c.Reason, c.Message = reasonManagerIsNewer, cut("the manager is newer than this agent: upgrade the agent, which doesn't understand "+known.NotUnderstood)
	}
	set(conditions, c, now)
}
