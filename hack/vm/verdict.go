package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/hack/vm/internal/worklist"
)

// verdicts reads the output of the test binaries with Go's own test2json,
// prints it as go test would, and counts.
type verdicts struct {
	list      worklist.Worklist
	test2json string
	verbose   bool
	out       io.Writer
	current   *reading
	finished  int
	sum       tally
}

type tally struct{ passed, failed, skipped int }

func (t *tally) add(o tally) {
	t.passed += o.passed
	t.failed += o.failed
	t.skipped += o.skipped
}

func (t tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
}

func newVerdicts(ctx context.Context, list worklist.Worklist, verbose bool, out io.Writer) (*verdicts, error) {
	// Go builds the tool when it is first asked for it.
	path, err := output(exec.CommandContext(ctx, "go", "tool", "-n", "test2json"))
	if err != nil {
		return nil, err
	}
	return &verdicts{list: list, test2json: strings.TrimSpace(path), verbose: verbose, out: out}, nil
}

func (v *verdicts) output(test int, piece []byte) {
	if v.current == nil {
		v.current = v.read(v.list.Tests[test].Package)
	}
	if v.current.trouble == nil {
		_, v.current.trouble = v.current.in.Write(piece)
	}
}

func (v *verdicts) exit(test int, code int) {
	name := v.list.Tests[test].Package
	if v.current == nil {
		v.current = v.read(name)
	}
	counted := v.current.close(code != 0)
	if v.current.trouble != nil {
		fmt.Fprintf(v.out, "vm: the output of %s could not be read to its end: %v\n", name, v.current.trouble)
		counted.failed++
	}
	v.current = nil
	v.finished++
	v.sum.add(counted)
	if counted.failed > 0 {
		fmt.Fprintf(v.out, "FAIL\t%s\texit code %d\n", name, code)
	} else {
		fmt.Fprintf(v.out, "ok  \t%s\n", name)
	}
}

// end prints the sum. Err is what kept the tests from running to their end.
func (v *verdicts) end(err error, mayRunNothing bool) error {
	if v.current != nil {
		v.sum.add(v.current.close(true))
		v.finished++
	}
	// A binary that was never run cannot have passed.
	for _, test := range v.list.Tests[v.finished:] {
		fmt.Fprintf(v.out, "FAIL\t%s\tnot run\n", test.Package)
		v.sum.failed++
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
	}
	if v.sum.passed == 0 && v.sum.failed == 0 && !mayRunNothing {
		err = errTestsFailed
		fmt.Fprintln(v.out, "FAIL: no test passed, so nothing was shown")
	}
	fmt.Fprintln(v.out, v.sum)
	if err != nil || v.sum.failed > 0 {
		return errTestsFailed
	}
	return nil
}

// reading is one binary's output on its way through test2json.
type reading struct {
	v       *verdicts
	cmd     *exec.Cmd
	in      io.WriteCloser
	done    chan struct{}
	trouble error

	// ended has the tests that said how they ended.
	ended map[string]string
	// held is what tests have printed that have not ended, by top-level test;
	// the binary's own output is at "".
	held map[string]*bytes.Buffer
	// specs has Ginkgo's own count of a suite that is one test to Go.
	specs map[string]tally
}

func (v *verdicts) read(name string) *reading {
	r := &reading{
		v: v, done: make(chan struct{}),
		ended: map[string]string{}, held: map[string]*bytes.Buffer{}, specs: map[string]tally{},
	}
	r.cmd = exec.Command(v.test2json, "-p", name)
	var out io.Reader
	if r.in, r.trouble = r.cmd.StdinPipe(); r.trouble == nil {
		if out, r.trouble = r.cmd.StdoutPipe(); r.trouble == nil {
			r.trouble = r.cmd.Start()
		}
	}
	if r.trouble != nil {
		close(r.done)
		return r
	}
	go func() {
		defer close(r.done)
		for decoder := json.NewDecoder(out); ; {
			var e struct{ Action, Test, Output string }
			if decoder.Decode(&e) != nil {
				return
			}
			r.take(e.Action, e.Test, e.Output)
		}
	}()
	return r
}

func (r *reading) take(action, test, text string) {
	top, _, _ := strings.Cut(test, "/")
	switch action {
	case "output":
		if count, ok := specCount(text); ok {
			r.specs[top] = count
		}
		if r.v.verbose {
			fmt.Fprint(r.v.out, text)
			return
		}
		if r.held[top] == nil {
			r.held[top] = &bytes.Buffer{}
		}
		r.held[top].WriteString(text)
	case "pass", "fail", "skip":
		if test == "" {
			return
		}
		r.ended[test] = action
		if test == top {
			// What passes in silence would bury what doesn't. A skip is worth
			// its line: in here hardly anything has a reason to.
			if action != "pass" || r.hasSkips(top) {
				r.release(top)
			}
			delete(r.held, top)
		}
	}
}

func (r *reading) hasSkips(top string) bool {
	for name, action := range r.ended {
		if action == "skip" && strings.HasPrefix(name, top+"/") {
			return true
		}
	}
	return false
}

func (r *reading) release(top string) {
	if held := r.held[top]; held != nil {
		_, _ = r.v.out.Write(held.Bytes())
		delete(r.held, top)
	}
}

func (r *reading) close(failed bool) tally {
	if r.in != nil {
		_ = r.in.Close()
	}
	<-r.done
	if r.cmd.Process != nil {
		if err := r.cmd.Wait(); err != nil && r.trouble == nil {
			r.trouble = err
		}
	}
	count := r.count()
	if failed {
		for top := range r.held {
			r.release(top)
		}
		// A binary that dies, or a TestMain that fails, is a failure of no
		// test in particular.
		if count.failed == 0 {
			count.failed = 1
		}
	}
	return count
}

// count takes the leaves: a test that only holds subtests shows nothing that
// they don't, unless it fails by itself.
func (r *reading) count() tally {
	parents, failedBelow := map[string]bool{}, map[string]bool{}
	for name, action := range r.ended {
		for above := parent(name); above != ""; above = parent(above) {
			parents[above] = true
			failedBelow[above] = failedBelow[above] || action == "fail"
		}
	}
	var sum tally
	for name, action := range r.ended {
		if specs, ok := r.specs[name]; ok && (action != "fail" || specs.failed > 0) {
			sum.add(specs)
			continue
		}
		switch {
		case action == "fail" && !failedBelow[name]:
			sum.failed++
		case parents[name]:
		case action == "pass":
			sum.passed++
		case action == "skip":
			sum.skipped++
		}
	}
	return sum
}

func parent(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return ""
}

var (
	colours     = regexp.MustCompile("\x1b\\[[0-9;]*m")
	specSummary = regexp.MustCompile(`-- (\d+) Passed \| (\d+) Failed \| (?:\d+ Flaked \| )?(\d+) Pending \| (\d+) Skipped`)
)

// specCount reads the line that Ginkgo ends a suite with.
func specCount(text string) (tally, bool) {
	match := specSummary.FindStringSubmatch(colours.ReplaceAllString(text, ""))
	if match == nil {
		return tally{}, false
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(match[i])
		return n
	}
	return tally{passed: number(1), failed: number(2), skipped: number(3) + number(4)}, true
}
