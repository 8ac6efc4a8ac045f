package ovnnb

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// MACVRF is a Layer2 network that the node joins with a MAC-VRF.
type MACVRF struct {
	// Network is OVN's name, "cluster_udn_<cudn>".
	Network string
	// Gateways are the network's own addresses of its gateway, which each node has itself:
	// requests for them must not leave the node.
	Gateways []netip.Addr
}

// Host is a pod or virtual machine of the node.
type Host struct {
	// MAC is in the form of net.HardwareAddr's String.
	MAC string
	// Addresses are sorted.
	Addresses []netip.Addr
}

// MACVRFState is what OVN has of a MACVRF.
type MACVRFState struct {
	// Hosts are sorted by their MAC address.
	Hosts []Host
	// Problem is why pods are not joined with the MAC-VRF, "" if they are.
	Problem string
}

func (s MACVRFState) equal(other MACVRFState) bool {
	return s.Problem == other.Problem && slices.EqualFunc(s.Hosts, other.Hosts, func(a, b Host) bool {
		return a.MAC == b.MAC && slices.Equal(a.Addresses, b.Addresses)
	})
}

// MACVRFs joins networks' switches with MAC-VRFs: a logical port on each, which an internal
// port of Open vSwitch is bound to, and it tells which hosts the node has. It has a session
// of its own, because its rows come and go with the networks.
type MACVRFs struct {
	client  *Client
	chassis func() string
	changed func()
	wake    chan struct{}
	// failed is why the last transactions failed, by network; it is Run's.
	failed map[string]string

	mu sync.Mutex
	// wanted are nil until Apply was called, and version changes with them.
	wanted  []MACVRF
	applied bool
	version int
	// states are nil while nothing is known.
	states map[string]MACVRFState
}

// NewMACVRFs returns MACVRFs that do nothing until Run. chassis is the name of the node's
// chassis, "" while it is not known; changed is called when States may have changed, and
// must return at once.
func NewMACVRFs(options Options, chassis func() string, changed func()) *MACVRFs {
	return &MACVRFs{client: New(options), chassis: chassis, changed: changed, wake: make(chan struct{}, 1)}
}

// Apply sets the networks, which have to be all that the node is to have: of others, what
// was made here is removed.
func (m *MACVRFs) Apply(wanted []MACVRF) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.applied && slices.EqualFunc(m.wanted, wanted, func(a, b MACVRF) bool {
		return a.Network == b.Network && slices.Equal(a.Gateways, b.Gateways)
	}) {
		return
	}
	m.wanted, m.applied = slices.Clone(wanted), true
	m.version++
	m.Poke()
}

// Poke asks for another look, as when the chassis becomes known.
func (m *MACVRFs) Poke() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// States are what is known of the networks by name, nil while nothing is. Without a
// session they are those of the last one.
func (m *MACVRFs) States() map[string]MACVRFState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.states)
}

func (m *MACVRFs) latest() (wanted []MACVRF, version int, applied bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wanted, m.version, m.applied
}

// errOtherNetworks ends a session that watches other networks than are wanted.
var errOtherNetworks = errors.New("other networks are wanted")

// Run keeps a session with the database while there are networks, until ctx ends. What was
// made stays.
func (m *MACVRFs) Run(ctx context.Context) error {
	for {
		if _, _, applied := m.latest(); applied {
			break
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.wake:
		}
	}
	c := m.client
	pauses := reconnecting()
	for attempt := 0; ; attempt++ {
		endpoint := c.options.Endpoints[attempt%len(c.options.Endpoints)]
		connected, err := m.serve(ctx, endpoint)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errOtherNetworks):
			attempt-- // The server was right.
			continue
		case connected:
			pauses = reconnecting()
			c.options.Log.Info("Lost the OVN Northbound database; connecting again", "endpoint", endpoint, "cause", err.Error())
		default:
			c.complain(endpoint, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pauses.Step()):
		}
	}
}

// Leave takes all of the node's ports off their switches, after Run has ended, and returns
// how many there were. With dryRun it only counts them.
func (m *MACVRFs) Leave(ctx context.Context, dryRun bool) (ports int, err error) {
	m.Apply(nil)
	var problems []error
	for _, endpoint := range m.client.options.Endpoints {
		s, err := m.connect(ctx, endpoint)
		if err == nil {
			return m.leave(ctx, s, dryRun)
		}
		problems = append(problems, err)
	}
	return 0, errors.Join(problems...)
}

func (m *MACVRFs) leave(ctx context.Context, s *session, dryRun bool) (ports int, err error) {
	defer s.end(errors.New("done"))
	for _, port := range s.macVRFRows().ports {
		if ours(port.ExternalIDs, m.client.options.Node) {
			ports++
		}
	}
	if !dryRun {
		_, err = m.pass(ctx, s)
	}
	return ports, err
}

// publish keeps what is known, and tells of news. A network that still differs from what is
// wanted has the problem that its last transaction had.
func (m *MACVRFs) publish(p *macVRFPlan) {
	var states map[string]MACVRFState
	if p.states != nil {
		states = maps.Clone(p.states)
		for network, why := range m.failed {
			if state, known := states[network]; known && state.Problem == "" && p.transactions[network] != nil {
				state.Problem = why
				states[network] = state
			}
		}
	}
	m.mu.Lock()
	same := (m.states == nil) == (states == nil) && maps.EqualFunc(m.states, states, MACVRFState.equal)
	m.states = states
	m.mu.Unlock()
	if !same {
		m.changed()
	}
}
