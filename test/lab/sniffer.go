package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/lab/machine"
)

// Sniffer sees what passes the fabric, or a device.
type Sniffer struct{ capture *machine.Process }

// Sniff looks for packets on the fabric that match a filter of pcap's
// (pcap-filter(7)). It has begun to when it returns.
func (l *Lab) Sniff(ctx context.Context, filter string) (*Sniffer, error) {
	return l.SniffOn(ctx, l.fabric, fabricBridge, filter)
}

// SniffOn looks on a machine's device, as Sniff does on the fabric.
func (l *Lab) SniffOn(ctx context.Context, m *machine.Machine, device, filter string) (*Sniffer, error) {
	l.sniffers++
	capture, err := m.Start(ctx, fmt.Sprintf("sniffer%d", l.sniffers), "tcpdump",
		"-i", device, "-n", "-l", "--immediate-mode", filter)
	if err != nil {
		return nil, err
	}
	s := &Sniffer{capture}
	ctx, cancel := context.WithTimeout(ctx, machine.Patience(startWithin))
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		text, err := os.ReadFile(capture.Log)
		if err == nil && strings.Contains(string(text), "listening on "+device) {
			return s, nil
		}
		select {
		case <-capture.Exited():
			return nil, fmt.Errorf("tcpdump ended at once: %s", capture.LastWords())
		case <-ctx.Done():
			capture.Kill()
			return nil, fmt.Errorf("tcpdump does not listen: %w", context.Cause(ctx))
		case <-again.C:
		}
	}
}

// Packets are those seen so far, a line each.
func (s *Sniffer) Packets() ([]string, error) {
	text, err := os.ReadFile(s.capture.Log)
	var packets []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, " IP ") || strings.Contains(line, " IP6 ") || strings.Contains(line, " ARP") {
			packets = append(packets, strings.TrimSpace(line))
		}
	}
	return packets, err
}

// Close ends it.
func (s *Sniffer) Close() { s.capture.Kill() }
