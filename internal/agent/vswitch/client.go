package vswitch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/ovn-kubernetes/libovsdb/ovsdb"
	"k8s.io/apimachinery/pkg/util/wait"
)

// ErrDisconnected is returned while there is no connection to Open vSwitch's database.
// Waiting helps.
var ErrDisconnected = errors.New("there is no connection to Open vSwitch's database")

// timeout is how long a server may take to answer, and silence how often it is asked for
// an echo. It is on this node and its database small.
const (
	timeout = 10 * time.Second
	silence = 5 * time.Second
)

// Options are what a Client needs.
type Options struct {
	// Endpoint is unix:PATH, DefaultEndpoint if "".
	Endpoint string
	// Bridge is where ports are made, DefaultBridge if "".
	Bridge string
	Log    logr.Logger
	// Changed is called when a port that Ports returns, or returned, changes, and when a
	// connection begins or ends. It must return at once and call nothing of this package.
	Changed func()
}

// Client reads and changes ports.
type Client struct {
	options Options

	mu      sync.Mutex
	session *session
	// trouble is why there is no session.
	trouble error
}

// New returns a Client that does nothing until Run.
func New(options Options) *Client {
	if options.Endpoint == "" {
		options.Endpoint = DefaultEndpoint
	}
	if options.Bridge == "" {
		options.Bridge = DefaultBridge
	}
	if options.Changed == nil {
		options.Changed = func() {}
	}
	return &Client{options: options}
}

// reconnecting are the pauses before the server is asked again.
func reconnecting() wait.Backoff {
	return wait.Backoff{Duration: 25 * time.Millisecond, Factor: 2, Jitter: 0.5, Cap: 2 * time.Second, Steps: math.MaxInt}
}

// Run keeps a connection to the database until ctx ends.
func (c *Client) Run(ctx context.Context) error {
	pauses := reconnecting()
	var complained time.Time
	for {
		connected, err := c.serve(ctx)
		c.use(nil, err)
		switch {
		case ctx.Err() != nil:
			return nil
		case connected:
			pauses, complained = reconnecting(), time.Time{}
			c.options.Log.Info("Lost Open vSwitch's database; connecting again", "endpoint", c.options.Endpoint, "cause", err.Error())
			c.options.Changed()
		case time.Since(complained) > time.Minute:
			complained = time.Now()
			c.options.Log.Info("Can't reach Open vSwitch's database", "endpoint", c.options.Endpoint, "cause", err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pauses.Step()):
		}
	}
}

// serve runs one session; connected is whether it was ever ready for use.
func (c *Client) serve(ctx context.Context) (connected bool, err error) {
	s, err := c.connect(ctx)
	if err != nil {
		return false, err
	}
	defer s.end(errors.New("closed"))
	c.use(s, nil)
	c.options.Log.Info("Connected to Open vSwitch's database", "endpoint", c.options.Endpoint)
	c.options.Changed()
	s.keepAlive()
	return true, context.Cause(s.ctx)
}

func (c *Client) use(s *session, trouble error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.trouble = s, trouble
}

// current is the session, or why there is none.
func (c *Client) current() (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.session != nil:
		return c.session, nil
	case c.trouble != nil:
		return nil, fmt.Errorf("%w (%s): %w; is Open vSwitch running on this node, and its socket mounted?", ErrDisconnected, c.options.Endpoint, c.trouble)
	default:
		return nil, fmt.Errorf("%w (%s) yet", ErrDisconnected, c.options.Endpoint)
	}
}

// Ports returns our ports and those of OVN-Kubernetes for EVPN, sorted by name.
func (c *Client) Ports(ctx context.Context) ([]Port, error) {
	s, err := c.current()
	if err != nil {
		return nil, err
	}
	var out, others []Port
	for _, found := range s.cache.Table(tableInterface).RowsShallow() {
		switch r := found.(*row); {
		case r.ours():
			out = append(out, r.port())
		case r.relevant():
			others = append(others, r.port())
		}
	}
	// Its mark is on the port.
	var t transaction
	for _, port := range others {
		t.add(anyCount, selected(tablePort, port.Name, "external_ids"))
	}
	if len(others) > 0 {
		results, err := s.transact(ctx, &t)
		if err != nil {
			return nil, fmt.Errorf("read ports of Open vSwitch: %w", err)
		}
		for i, port := range others {
			for _, found := range results[i].Rows {
				if _, port.ByOVNKubernetes = stringMap(found["external_ids"])[evpnVTEP]; port.ByOVNKubernetes {
					out = append(out, port)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Port) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Chassis is the name that the node has in OVN, "" while it is not known.
func (c *Client) Chassis() string {
	s, err := c.current()
	if err != nil {
		return ""
	}
	for _, found := range s.cache.Table(tableSystem).RowsShallow() {
		return found.(*system).ExternalIDs[systemID]
	}
	return ""
}

// stringMap reads a column such as external_ids.
func stringMap(value any) map[string]string {
	pairs, _ := value.(ovsdb.OvsMap)
	out := make(map[string]string, len(pairs.GoMap))
	for key, value := range pairs.GoMap {
		name, _ := key.(string)
		out[name], _ = value.(string)
	}
	return out
}
