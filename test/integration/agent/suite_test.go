package agent

import (
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestAgent(t *testing.T) {
	if endpoint := os.Getenv(processVariable); endpoint != "" {
		runProcess(endpoint)
		return
	}
	RegisterFailHandler(Fail)
	RunSpecs(t, "Agent")
}
