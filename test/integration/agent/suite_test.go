package agent

import (
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// InVM marks what the virtual machine runs and hardly any other does, or what
// is different there: kernel VRFs, a clock that may be set, OVN 25.03. CI runs
// these specs there, and the others natively.
var InVM = Label("vm")

func TestAgent(t *testing.T) {
	if endpoint := os.Getenv(processVariable); endpoint != "" {
		runProcess(endpoint)
		return
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Agent")
}
