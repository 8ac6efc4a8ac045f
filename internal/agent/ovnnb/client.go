package ovnnb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Database is the database's name.
const Database = "OVN_Northbound"

// Options are what a Client needs.
type Options struct {
	// Endpoints are unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT. With several
	// of them only the cluster's leader will do.
	Endpoints []string
	TLS       *tls.Config
	// Node is this node's name.
	Node string
	Log  logr.Logger
	// Silence is how long the server may be silent before it is asked for an
	// echo; 5 s if 0.
	Silence time.Duration
	// Timeout is how long a call may take; 60 s if 0.
	Timeout time.Duration
	// NAT has the routers' NAT looked at as well.
	NAT bool
	// Connections is told when a session begins (nil) and ends (its cause).
	Connections func(cause error)
}

// Client watches our routes in the Northbound database and changes them.
type Client struct {
	options Options

	mu      sync.Mutex
	session *session
	routes  *routes
	routers *routers
	global  globalOptions
	nat     *natTable
	nodes   *addressSets
	schema  schema
	watched map[string]*Network
	// wanted wakes the session when the watched networks change.
	wanted chan struct{}
	// generation counts sessions.
	generation int
}

// New returns a Client that does nothing until Run.
func New(options Options) *Client {
	if options.Silence <= 0 {
		options.Silence = 5 * time.Second
	}
	if options.Timeout <= 0 {
		options.Timeout = time.Minute
	}
	c := &Client{options: options, watched: map[string]*Network{}, wanted: make(chan struct{}, 1)}
	c.routes = newRoutes(options.Node, &c.mu)
	c.routers = newRouters(&c.mu, c.routerChanged)
	c.nat = newNATTable(&c.mu, c.natChanged)
	c.nodes = newAddressSets(&c.mu, c.natChanged)
	return c
}

// routerChanged runs with the lock held.
func (c *Client) routerChanged(router string) {
	for _, n := range c.watched {
		if n.router == router {
			n.notify()
			if c.options.NAT {
				c.want()
			}
		}
	}
}

func (c *Client) want() {
	select {
	case c.wanted <- struct{}{}:
	default:
	}
}

// Run keeps a session with the database until ctx ends.
func (c *Client) Run(ctx context.Context) error {
	if len(c.options.Endpoints) == 0 {
		return errors.New("no endpoint of the OVN Northbound database is given")
	}
	delay := time.Duration(0)
	for attempt := 0; ; attempt++ {
		endpoint := c.options.Endpoints[attempt%len(c.options.Endpoints)]
		connected, err := c.serve(ctx, endpoint)
		c.disconnected()
		if ctx.Err() != nil {
			return nil
		}
		if c.options.Connections != nil {
			c.options.Connections(err)
		}
		if connected {
			delay = 0
			c.options.Log.Info("Lost the OVN Northbound database; connecting again", "endpoint", endpoint, "cause", err.Error())
		} else {
			c.options.Log.V(1).Info("No session with the OVN Northbound database", "endpoint", endpoint, "cause", err.Error())
		}
		// All members of a cluster are asked before any is asked again.
		if (attempt+1)%len(c.options.Endpoints) != 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay/2 + rand.N(delay/2+time.Millisecond)):
		}
		delay = min(max(2*delay, 50*time.Millisecond), 2*time.Second)
	}
}

func (c *Client) disconnected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = nil
	for _, n := range c.watched {
		n.known = false
		n.notify()
	}
}

// serve runs one session; connected tells whether it came to be used.
func (c *Client) serve(ctx context.Context, endpoint string) (connected bool, err error) {
	dialing, cancel := context.WithTimeout(ctx, 5*time.Second)
	conn, err := dial(dialing, endpoint, c.options.TLS)
	cancel()
	if err != nil {
		return false, err
	}
	server := &serverTable{databases: map[string]serverDatabase{}, leaderOnly: len(c.options.Endpoints) > 1}
	s := newSession(conn, func(s *session, monitor string, in *jsonReader) {
		switch monitor {
		case monitorNorthbound:
			c.readTables(in)
		case monitorServer:
			if err := server.read(in); err != nil {
				s.close(err)
			}
		default:
			in.skip()
		}
	})
	defer s.close(errors.New("closed"))

	starting, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	if err := c.start(starting, s, server); err != nil {
		return false, err
	}
	if c.options.Connections != nil {
		c.options.Connections(nil)
	}
	c.options.Log.Info("Connected to the OVN Northbound database", "endpoint", endpoint)
	go s.keepAlive(c.options.Silence)
	for {
		select {
		case <-ctx.Done():
			return true, ctx.Err()
		case <-s.closed:
			return true, s.err
		case <-c.wanted:
			changing, cancel := context.WithTimeout(ctx, c.options.Timeout)
			err := c.changeConditions(changing, s)
			cancel()
			if err != nil {
				return true, err
			}
		}
	}
}

// start brings a session to where it is used.
func (c *Client) start(ctx context.Context, s *session, server *serverTable) error {
	err := s.call(ctx, "monitor_cond", server.request(), func(in *jsonReader) {
		server.initial = server.read(in)
	})
	if err != nil {
		return err
	}
	if server.initial != nil {
		return server.initial
	}
	var schema schema
	if err := s.call(ctx, "get_schema", []byte(`["`+Database+`"]`), schema.read); err != nil {
		return err
	}
	if err := schema.check(); err != nil {
		return err
	}

	c.mu.Lock()
	c.routes.forget()
	c.routers.forget()
	c.nat.forget()
	c.nodes.forget()
	c.schema = schema
	select {
	case <-c.wanted:
	default:
	}
	conditions := c.conditions()
	c.mu.Unlock()

	if err := s.call(ctx, "monitor_cond", conditions.monitor(), c.readTables); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = s
	c.generation++
	c.know(conditions)
	if conditions.nats {
		// Which NAT rows concern us is known only now.
		c.want()
	}
	return nil
}

// know marks networks as known as far as the conditions include them.
func (c *Client) know(conditions conditions) {
	for _, n := range conditions.networks {
		if c.watched[n.name] == n && !n.known {
			n.known, n.all = true, true
			clear(c.routes.network(n.name).changed)
			n.notify()
		}
	}
}

func (c *Client) changeConditions(ctx context.Context, s *session) error {
	c.mu.Lock()
	conditions := c.conditions()
	c.mu.Unlock()
	if err := s.call(ctx, "monitor_cond_change", conditions.change(), nil); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.know(conditions)
	return nil
}

// readTables applies an update of the Northbound database.
func (c *Client) readTables(in *jsonReader) {
	in.object(func(table []byte) {
		switch string(table) {
		case "Logical_Router_Static_Route":
			c.routes.read(in)
		case "Logical_Router":
			c.routers.read(in)
		case "NAT":
			c.nat.read(in)
		case "Address_Set":
			c.nodes.read(in)
		case "NB_Global":
			c.global.read(in, &c.mu)
		default:
			in.skip()
		}
	})
}

// Connected reports whether there is a session with the database.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session != nil
}

// NorthdVersion is the version that ovn-northd reports, "" where it doesn't.
func (c *Client) NorthdVersion() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.global.options["northd_internal_version"]
}

// Watch begins to watch a network's gateway router and our rows of it. notify
// is called after every change, with a lock held: it must return at once and
// call nothing of this package.
func (c *Client) Watch(network string, notify func()) *Network {
	names := ovnk.NamesOf(network)
	n := &Network{client: c, name: network, router: names.GatewayRouter(c.options.Node), notify: notify}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watched[network] = n
	c.routes.network(network).notify = notify
	c.want()
	return n
}

// Networks returns the networks that we have rows of, watched or not.
func (c *Client) Networks() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for name, n := range c.routes.networks {
		if n.rows > 0 {
			out = append(out, name)
		}
	}
	return out
}

var errNotLeader = errors.New("this server does not lead its cluster")

func errorf(format string, args ...any) error { return fmt.Errorf("OVN Northbound: "+format, args...) }
