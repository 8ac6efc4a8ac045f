// Package worklist is the protocol between the runner and the guest: the list of
// test binaries to run, which is on the payload disk, and the events that come back.
// It must not use anything that only one side has.
package worklist

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Payload is where the payload is mounted for the tests: the worklist, the
// test binaries, and a copy of the source tree that holds testdata only.
const Payload = "/payload"

// Folders of the payload. What tests write to Evidence reaches the host.
const (
	Binaries   = "binaries"
	Evidence   = "evidence"
	Kubeconfig = "kubeconfig"
)

// The virtio-serial ports: one carries the events, one the connections to
// addresses of the host.
const (
	EventPort   = "ovnbgp.events"
	ForwardPort = "ovnbgp.forward"
)

const file = "worklist.json"

// Worklist is what there is to do, in order.
type Worklist struct {
	Tests []Test
	// Env is added to the environment of every test.
	Env []string
	// Forward are addresses on the host's loopback that tests reach under the
	// same address on theirs. Nothing else of the host can be reached.
	Forward []string
	// Modules are loaded before the tests run.
	Modules []string
	// Evidence asks for what tests leave in the folder of that name.
	Evidence bool
	// Shell asks for a shell on the console instead of the tests.
	Shell bool
}

// Test is one test binary.
type Test struct {
	Package string
	// Binary and Dir are paths below Payload. Dir stands for the package's
	// folder, where go test would start the binary.
	Binary string
	Dir    string
	Args   []string
	// Limit is when the binary and all that it started are killed. It is
	// later than the binary's own -timeout, which tells more about the hang.
	Limit time.Duration
}

// Event is what comes back: a piece of output or of evidence, an exit, or the
// end.
type Event struct {
	// Kernel is the guest's release; the first event carries it.
	Kernel string `json:",omitempty"`
	Test   int
	Output []byte `json:",omitempty"`
	Exit   *int   `json:",omitempty"`
	// Evidence is a piece of a tar archive with the folder's contents.
	Evidence []byte `json:",omitempty"`
	// Trouble says why the guest gave up.
	Trouble string `json:",omitempty"`
	Done    bool   `json:",omitempty"`
}

// Write puts the worklist into a payload folder.
func (w Worklist) Write(folder string) error {
	text, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the worklist: %w", err)
	}
	return os.WriteFile(filepath.Join(folder, file), text, 0o644)
}

// Read takes the worklist from a payload folder.
func Read(folder string) (Worklist, error) {
	var w Worklist
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		return w, fmt.Errorf("read the worklist: %w", err)
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return w, fmt.Errorf("read the worklist: %w", err)
	}
	return w, nil
}
