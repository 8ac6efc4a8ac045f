package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

// printed is what a Go test binary prints under -test.v=test2json; ^ stands for
// the mark (0x16) before Go's own lines.
type printed struct {
	output string
	exit   int
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		name     string
		binaries []printed
		err      error
		want     string
		failed   bool
		prints   string
		hides    string
	}{{
		name:     "what passes is counted in silence",
		binaries: []printed{{output: "^=== RUN   TestA\nnoise\n^--- PASS: TestA (0.00s)\n^=== NAME  \n^PASS\n"}},
		want:     "1 passed, 0 failed, 0 skipped",
		hides:    "noise",
	}, {
		name:     "what fails is printed",
		binaries: []printed{{output: "^=== RUN   TestA\n    a_test.go:1: wrong\n^--- FAIL: TestA (0.00s)\n^=== NAME  \n^FAIL\n", exit: 1}},
		want:     "0 passed, 1 failed, 0 skipped",
		failed:   true,
		prints:   "a_test.go:1: wrong",
	}, {
		name: "a parent does not count beside its subtests",
		binaries: []printed{{output: "^=== RUN   TestA\n^=== RUN   TestA/x\n^--- PASS: TestA/x (0.00s)\n^=== NAME  TestA\n" +
			"^=== RUN   TestA/y\n^--- FAIL: TestA/y (0.00s)\n^=== NAME  TestA\n^--- FAIL: TestA (0.00s)\n^=== NAME  \n^FAIL\n", exit: 1}},
		want:   "1 passed, 1 failed, 0 skipped",
		failed: true,
	}, {
		name: "a parent that fails by itself counts",
		binaries: []printed{{output: "^=== RUN   TestA\n^=== RUN   TestA/x\n^--- PASS: TestA/x (0.00s)\n^=== NAME  TestA\n" +
			"^--- FAIL: TestA (0.00s)\n^=== NAME  \n^FAIL\n", exit: 1}},
		want:   "1 passed, 1 failed, 0 skipped",
		failed: true,
	}, {
		name: "a skip is counted and says why",
		binaries: []printed{{output: "^=== RUN   TestA\n^--- PASS: TestA (0.00s)\n" +
			"^=== RUN   TestB\n    b_test.go:1: no time\n^--- SKIP: TestB (0.00s)\n^=== NAME  \n^PASS\n"}},
		want:   "1 passed, 0 failed, 1 skipped",
		prints: "no time",
	}, {
		name:     "skips alone show nothing",
		binaries: []printed{{output: "^=== RUN   TestB\n^--- SKIP: TestB (0.00s)\n^=== NAME  \n^PASS\n"}},
		want:     "0 passed, 0 failed, 1 skipped",
		failed:   true,
	}, {
		name: "the specs of a Ginkgo suite count, not the suite",
		binaries: []printed{{output: "^=== RUN   TestSuite\nRan 3 of 5 Specs in 0.001 seconds\n" +
			"\x1b[38;5;10m\x1b[1mSUCCESS!\x1b[0m -- \x1b[38;5;10m\x1b[1m3 Passed\x1b[0m | \x1b[38;5;9m\x1b[1m0 Failed\x1b[0m | " +
			"\x1b[38;5;11m\x1b[1m1 Pending\x1b[0m | \x1b[38;5;14m\x1b[1m1 Skipped\x1b[0m\n^--- PASS: TestSuite (0.00s)\n^=== NAME  \n^PASS\n"}},
		want: "3 passed, 0 failed, 2 skipped",
	}, {
		name: "a suite that fails although no spec did counts as failed",
		binaries: []printed{{output: "^=== RUN   TestSuite\nFAIL! -- 3 Passed | 0 Failed | 0 Pending | 0 Skipped\n" +
			"^--- FAIL: TestSuite (0.00s)\n^=== NAME  \n^FAIL\n", exit: 1}},
		want:   "0 passed, 1 failed, 0 skipped",
		failed: true,
	}, {
		name:     "a bad exit counts without a failed test, and shows what was printed",
		binaries: []printed{{output: "^=== RUN   TestA\npanic: so long\n", exit: 2}},
		want:     "0 passed, 1 failed, 0 skipped",
		failed:   true,
		prints:   "panic: so long",
	}, {
		name:     "a bad exit without a word counts",
		binaries: []printed{{exit: 125}},
		want:     "0 passed, 1 failed, 0 skipped",
		failed:   true,
	}, {
		name:     "binaries that were not run have failed",
		binaries: []printed{{output: "^=== RUN   TestA\n^--- PASS: TestA (0.00s)\n^=== NAME  \n^PASS\n"}, {exit: notRun}, {exit: notRun}},
		err:      errors.New("the machine died"),
		want:     "1 passed, 2 failed, 0 skipped",
		failed:   true,
		prints:   "not run",
	}} {
		t.Run(c.name, func(t *testing.T) {
			var list worklist.Worklist
			for range c.binaries {
				list.Tests = append(list.Tests, worklist.Test{Package: "example.org/p"})
			}
			var out bytes.Buffer
			v, err := newVerdicts(t.Context(), list, false, &out)
			if err != nil {
				t.Fatal(err)
			}
			for i, b := range c.binaries {
				if b.exit == notRun {
					break
				}
				if b.output != "" {
					v.output(i, []byte(strings.ReplaceAll(b.output, "^", "\x16")))
				}
				v.exit(i, b.exit)
			}
			if err := v.end(c.err, false); (err != nil) != c.failed {
				t.Errorf("failed: %v, want %v", err != nil, c.failed)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if got := lines[len(lines)-1]; got != c.want {
				t.Errorf("the last line is %q, want %q, of\n%s", got, c.want, out.String())
			}
			if c.prints != "" && !strings.Contains(out.String(), c.prints) {
				t.Errorf("%q is missing from\n%s", c.prints, out.String())
			}
			if c.hides != "" && strings.Contains(out.String(), c.hides) {
				t.Errorf("%q should not be in\n%s", c.hides, out.String())
			}
		})
	}
}

const notRun = -1
