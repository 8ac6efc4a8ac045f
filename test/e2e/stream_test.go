package e2e_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/probe"
)

// answeredWithin is how long a packet may be on its way, on a quiet machine.
const answeredWithin = 5 * time.Second

// streams are flows of packets whose addresses and ports stay, so that each
// follows one of several equal paths and keeps to it. Connections made anew, as
// watchFlow's, would find the paths that are left.
type streams []*flow

// add has packets go from a machine to an address and back until the end of the
// spec.
func (s *streams) add(ctx context.Context, name string, from *machine.Machine, to netip.Addr) {
	GinkgoHelper()
	s.addEvery(ctx, askEvery, name, from, to)
}

// addEvery is add with the time between two packets.
func (s *streams) addEvery(ctx context.Context, every time.Duration, name string, from *machine.Machine, to netip.Addr) {
	GinkgoHelper()
	stream, err := probe.Open(from, to)
	Expect(err).NotTo(HaveOccurred())
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	f := &flow{name: name, every: every, stop: stop, done: make(chan struct{}), last: time.Now()}
	go f.hear(stream)
	go f.send(watching, stream)
	DeferCleanup(f.end)
	*s = append(*s, f)
}

func (f *flow) send(watching context.Context, stream *probe.Stream) {
	defer stream.Close()
	again := time.NewTicker(f.every)
	defer again.Stop()
	for {
		if !f.isPaused() {
			if stream.Send() != nil {
				return
			}
			f.asked()
		}
		select {
		case <-watching.Done():
			return
		case <-again.C:
		}
	}
}

func (f *flow) hear(stream *probe.Stream) {
	defer close(f.done)
	for stream.Await() == nil {
		f.answered()
	}
}

func (f *flow) isPaused() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.paused
}

// pause sends nothing more until it is undone, so that what is on its way can be answered.
func (s streams) pause(paused bool) {
	for _, f := range s {
		f.mutex.Lock()
		f.paused = paused
		f.mutex.Unlock()
	}
}

// outage is that of the stream that was interrupted for longest.
func (s streams) outage() time.Duration {
	var longest time.Duration
	for _, f := range s {
		longest = max(longest, f.outage())
	}
	return longest
}

// lost is how many packets have no answer.
func (s streams) lost() int {
	lost := 0
	for _, f := range s {
		lost += f.lost()
	}
	return lost
}

// skipIfLossy ends the spec on a machine that is so busy that it loses packets while
// nothing changes: what is lost later would tell nothing.
func (s streams) skipIfLossy(ctx context.Context) {
	GinkgoHelper()
	s.pause(true)
	err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, machine.Patience(answeredWithin), true, func(context.Context) (bool, error) {
		return s.lost() == 0, nil
	})
	if wait.Interrupted(err) {
		Skip(fmt.Sprintf("SKIPPED, NOT PASSED: %d of %d packets were lost while nothing changed; run it again on a machine that does nothing else", s.lost(), s.sent()))
	}
	Expect(err).NotTo(HaveOccurred())
	s.pause(false)
}

// sent is how many packets were sent.
func (s streams) sent() int {
	sent := 0
	for _, f := range s {
		f.mutex.Lock()
		sent += f.sent
		f.mutex.Unlock()
	}
	return sent
}

// hasAnswers tells whether all streams work now.
func (s streams) hasAnswers() bool {
	for _, f := range s {
		if !f.hasAnswers() {
			return false
		}
	}
	return true
}

func (s streams) end() {
	for _, f := range s {
		f.end()
	}
}
