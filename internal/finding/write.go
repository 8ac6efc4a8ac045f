package finding

import "github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"

// What the API server did not give or take.

var readFailed = enter("ReadFailed", retryable, ofObject,
	"The manager could not read the cluster. What was last applied stays.",
	"See the API server's error in the message. The manager tries again.")

// ReadFailed is for a cluster that could not be read.
func ReadFailed(err error) model.Finding {
	return readFailed.about("", "the cluster could not be read, so what was last applied stays: %s", err)
}

var managedNotWritten = enter("ManagedNotWritten", retryable, ofObject,
	"The manager could not write the RouteAdvertisements object of networks with routing Managed.",
	"See the API server's error in the message. The manager tries again.")

// ManagedNotWritten is for the operator's own RouteAdvertisements object.
func ManagedNotWritten(ra string, err error) model.Finding {
	return managedNotWritten.about(ra, "RouteAdvertisements %q of networks with routing Managed could not be written: %v", ra, err)
}

var nodeNetworksNotWritten = enter("NodeNetworksNotWritten", retryable, ofNode,
	"The manager could not write a node's NodeNetworks. The node's agent follows what it was told before; routes are advertised as planned.",
	"See the API server's error in the message. The manager tries again.")

// NodeNetworksNotWritten is for a node whose agent does not know the plan, as the text
// says.
func NodeNetworksNotWritten(text string) model.Finding {
	return nodeNetworksNotWritten.onNode("the node's agent follows what it was told before, because its NodeNetworks could not be written: %s", text)
}

// WriteFailure is what keeps a generated object from being written.
type WriteFailure struct{ reason *Reason }

// The failures of writes.
var (
	Unavailable = WriteFailure{enter("Unavailable", retryable, ofNode,
		"An FRRConfiguration could not be written, because the API server, a webhook or the way there failed. What was applied before stays.",
		"See the error in the message. The manager tries again.")}
	Refused = WriteFailure{enter("Refused", invalid, ofNode,
		"The API server or an admission webhook refuses a generated FRRConfiguration for what this object brings into it. The rest is applied without it.",
		"See the refusal in the message. frr-k8s' own webhook refuses what it could not merge.")}
	Forbidden = WriteFailure{enter("Forbidden", retryable, ofNode,
		"The manager lacks the permission to write FRRConfigurations.",
		"Its ClusterRole must allow create, patch and delete of frrconfigurations.frrk8s.metallb.io.")}
	QuotaExceeded = WriteFailure{enter("QuotaExceeded", retryable, ofNode,
		"A quota of frr-k8s' namespace is used up, so an FRRConfiguration could not be written.",
		"Raise the quota: the manager needs one object per node.")}
	Conflict = WriteFailure{enter("Conflict", retryable, ofNode,
		"A generated FRRConfiguration changed while it was written.",
		"Nothing. The manager tries again.")}
	NotOurs = WriteFailure{enter("NotOurs", invalid, ofNode,
		"An FRRConfiguration that is not the operator's has the name of a generated one. It is left alone.",
		"Rename it or delete it.")}
)

// Name is that of the reason.
func (w WriteFailure) Name() string { return w.reason.Name }

// NotWritten is for an object that could not be written to a node, as the text says.
func NotWritten(failure WriteFailure, text string) model.Finding {
	return failure.reason.onNode("%s", text)
}
