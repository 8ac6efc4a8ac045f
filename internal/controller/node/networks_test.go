package node

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// The same failure on many nodes is one finding, which leaves the part in place.
func TestWhatIsNotPublishedIsTold(t *testing.T) {
	var told []model.Finding
	for _, node := range []string{"a", "worker-2"} {
		planned := parts(map[string]model.PartState{"pods": model.PartPlanned}, "pods")
		failure := apierrors.NewForbidden(schema.GroupResource{Group: "ovnbgp.io", Resource: "nodenetworks"}, node, errors.New("cannot patch"))
		got := unpublished(planned, fmt.Errorf("NodeNetworks %s: %w", node, failure))
		checkPart(t, &got[0], "pods", model.PartPlanned, "NodeNetworksNotWritten")
		if len(planned[0].Findings) > 0 {
			t.Error("the plan's own part was changed")
		}
		told = append(told, got[0].Findings...)
	}
	if told[0] != told[1] || told[0].Outcome != model.Retryable || !strings.HasSuffix(told[0].Message, "nodenetworks.ovnbgp.io of the node is forbidden: cannot patch") {
		t.Errorf("findings %+v", told)
	}
}
