package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// flow is a client that connects again and again, and knows for how long it
// could not.
type flow struct {
	name string
	stop context.CancelFunc
	done chan struct{}

	mutex   sync.Mutex
	last    time.Time
	longest time.Duration
	// every is how often a stream's packets are sent, sent and heard count them.
	every       time.Duration
	sent, heard int
	paused      bool
}

const (
	askEvery  = 50 * time.Millisecond
	askWithin = 300 * time.Millisecond
)

// watchFlow has a machine connect to an address until the flow is ended. It
// begins as one that works.
func watchFlow(ctx context.Context, name string, from *machine.Machine, to netip.Addr) *flow {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &flow{name: name, stop: stop, done: make(chan struct{}), last: time.Now()}
	go func() {
		defer close(f.done)
		again := time.NewTicker(askEvery)
		defer again.Stop()
		for watching.Err() == nil {
			f.ask(watching, from, to)
			select {
			case <-watching.Done():
			case <-again.C:
			}
		}
	}()
	DeferCleanup(func() { f.end() })
	return f
}

func (f *flow) ask(ctx context.Context, from *machine.Machine, to netip.Addr) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if _, err := probe.Ask(ctx, from, to); err == nil {
		f.answered()
	}
}

func (f *flow) answered() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	now := time.Now()
	f.longest = max(f.longest, now.Sub(f.last))
	f.last = now
	f.heard++
}

func (f *flow) asked() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.sent++
}

// lost is how many of a stream's packets have no answer. Those of the last moment
// may get one yet.
func (f *flow) lost() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.sent - f.heard
}

// outage is the longest time without an answer so far, the current one
// included. Some is not an outage: what lies between two questions.
func (f *flow) outage() time.Duration {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return max(f.longest, time.Since(f.last))
}

func (f *flow) end() {
	f.stop()
	<-f.done
}

// hasAnswers tells whether the flow works now.
func (f *flow) hasAnswers() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return time.Since(f.last) < askWithin+askEvery
}

// notAnOutage is what a busy machine needs at times to ask and to answer.
const notAnOutage = 2 * time.Second

// outages are those of the whole run, for its last table.
var outages struct {
	sync.Mutex
	lines []string
}

// reportOutage keeps an outage for the table.
func reportOutage(cause, flow string, outage time.Duration) {
	AddReportEntry("outage", fmt.Sprintf("%s, %s: %.2f s", cause, flow, outage.Seconds()))
	outages.Lock()
	defer outages.Unlock()
	outages.lines = append(outages.lines, fmt.Sprintf("%s\t%s\t%.2f s\t", cause, flow, outage.Seconds()))
}

// outageTable is empty where nothing was interrupted on purpose.
func outageTable() string {
	outages.Lock()
	defer outages.Unlock()
	if len(outages.lines) == 0 {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\nLongest time without an answer; under %s a flow was not interrupted\n\n", notAnOutage)
	table := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	for _, line := range outages.lines {
		fmt.Fprintln(table, line)
	}
	_ = table.Flush()
	return text.String()
}
