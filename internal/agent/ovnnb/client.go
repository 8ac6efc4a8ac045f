package ovnnb

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/go-logr/logr"
	libmodel "github.com/ovn-kubernetes/libovsdb/model"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// Database is the database's name.
const Database = "OVN_Northbound"

// perOperation is how much longer a transaction may take for each operation.
const perOperation = 5 * time.Millisecond

// lostInterval is how often the client looks for rows that no event reports.
const lostInterval = 10 * time.Minute

// reconnecting are the pauses before the servers are asked again, at most 2 s with
// their jitter, by which the agents of many nodes don't all come at once.
func reconnecting() wait.Backoff {
	return wait.Backoff{Duration: 25 * time.Millisecond, Factor: 2, Jitter: 1, Cap: time.Second, Steps: math.MaxInt}
}

// Options are what a Client needs.
type Options struct {
	// Endpoints are unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT. Of a cluster
	// only the leader serves.
	Endpoints []string
	// TLS is asked for each connection, because certificates are renewed while
	// the agent runs; nil without.
	TLS func() (*tls.Config, error)
	// Node is this node's name.
	Node string
	Log  logr.Logger
	// Silence is how often the server is asked for an echo, which it has twice
	// as long to send; 5 s if 0.
	Silence time.Duration
	// Timeout is how long a transaction may take, and perOperation more for
	// each operation; 10 s if 0.
	Timeout time.Duration
	// ConnectTimeout is how long a server may take to be reached and to answer at
	// all, and LoadTimeout how long a table, or a part of one, may take to be
	// read; 10 and 60 s if 0, and a quarter of that where there are other servers
	// to ask: one that hangs must not keep us from those.
	ConnectTimeout time.Duration
	LoadTimeout    time.Duration
	// NAT has the routers' NAT looked at as well.
	NAT bool
	// Connections is called when a session begins (nil) and ends (its cause).
	Connections func(cause error)
	// Strayed is called when there are rows of ours that are on no watched network's
	// router. It must return at once and call nothing of this package.
	Strayed func()
	// Looked is called when it becomes known whether a router that is looked for
	// exists, and when one comes or goes. The same rules hold as for Strayed.
	Looked func()
}

// Client watches our routes in the Northbound database and changes them.
type Client struct {
	options Options

	// mu is taken before libovsdb's locks, never while they are held.
	mu      sync.Mutex
	session *session
	routes  *routes
	around  routerContext
	// imports changes, by port, with every row of route import that comes or goes.
	imports map[string]uint64
	// unmarked are rows like ours without an owner.
	unmarked unmarked
	watched  map[string]*Network
	// looked are the routers that are looked for; see Look.
	looked map[string]bool
	// wanted wakes the session when the watched networks change, or the routers.
	wanted chan struct{}
	// trouble is why there is no session.
	trouble string

	// lost are when the last sessions ended, and why.
	lost []loss
	// complained is when a failure to connect was last logged; it is Run's.
	complained time.Time
}

// New returns a Client that does nothing until Run.
func New(options Options) *Client {
	or := func(value *time.Duration, otherwise time.Duration) {
		if *value <= 0 {
			*value = otherwise
		}
	}
	or(&options.Silence, 5*time.Second)
	or(&options.Timeout, 10*time.Second)
	alone := time.Duration(4)
	if len(options.Endpoints) > 1 {
		alone = 1
	}
	or(&options.ConnectTimeout, alone*2500*time.Millisecond)
	or(&options.LoadTimeout, alone*15*time.Second)
	if options.Connections == nil {
		options.Connections = func(error) {}
	}
	if options.Strayed == nil {
		options.Strayed = func() {}
	}
	if options.Looked == nil {
		options.Looked = func() {}
	}
	c := &Client{options: options, watched: map[string]*Network{}, imports: map[string]uint64{}, wanted: make(chan struct{}, 1)}
	c.routes = newRoutes(options.Node, options.Strayed)
	c.around.forget()
	c.unmarked.twins = map[model.RowID]struct{}{}
	return c
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
	pauses := reconnecting()
	for attempt := 0; ; attempt++ {
		endpoint := c.options.Endpoints[attempt%len(c.options.Endpoints)]
		connected, err := c.serve(ctx, endpoint)
		if ctx.Err() != nil {
			c.disconnected("the agent is stopping")
			return nil
		}
		c.disconnected(err.Error())
		c.options.Connections(err)
		if connected {
			pauses = reconnecting()
			c.noteLoss(err)
			c.options.Log.Info("Lost the OVN Northbound database; connecting again", "endpoint", endpoint, "cause", err.Error())
		} else {
			c.complain(endpoint, err)
		}
		// All members of a cluster are asked before any is asked again.
		if (attempt+1)%len(c.options.Endpoints) != 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pauses.Step()):
		}
	}
}

// complain logs why there is no session, once a minute: the text varies, by
// ports and times in it. That one of several servers follows is how it should be.
func (c *Client) complain(endpoint string, err error) {
	log := c.options.Log
	if errors.Is(err, errNotLeader) && len(c.options.Endpoints) > 1 || time.Since(c.complained) < time.Minute {
		log = log.V(1)
	} else {
		c.complained = time.Now()
	}
	log.Info("No session with the OVN Northbound database", "endpoint", endpoint, "cause", err.Error())
}

func (c *Client) disconnected(cause string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.trouble = nil, cause
	for _, n := range c.watched {
		n.known = false
		n.notify()
	}
}

// serve runs one session; connected is whether it was ever ready for use.
func (c *Client) serve(ctx context.Context, endpoint string) (connected bool, err error) {
	s, err := c.connect(ctx, endpoint)
	if err != nil {
		return false, err
	}
	defer s.end(errors.New("closed"))
	if err := c.load(s); err != nil {
		return false, endedBy(s, err)
	}
	// Until here each call has its own time limit, which is longer: to list
	// rows keeps the server from anything else.
	go s.keepAlive(c.options.Silence, func() time.Duration {
		return 2*c.options.Silence + time.Duration(s.ours.Table(tableRoute).Len())*perRow
	}, s.routes, s.router)
	c.begin(s)
	again := time.NewTicker(lostInterval)
	defer again.Stop()
	unmarked := time.NewTicker(time.Second)
	defer unmarked.Stop()
	if err := c.findLost(s); err != nil {
		return true, endedBy(s, err)
	}
	for {
		if err := c.watchRouters(s); err != nil {
			return true, endedBy(s, err)
		}
		select {
		case <-s.ctx.Done():
			return true, context.Cause(s.ctx)
		case <-c.wanted:
		case <-again.C:
			if err := errors.Join(c.findLost(s), c.findUnmarked(s)); err != nil {
				return true, endedBy(s, err)
			}
		case <-unmarked.C:
			if !c.unmarkedDue() {
				continue
			}
			if err := c.findUnmarked(s); err != nil {
				return true, endedBy(s, err)
			}
		}
	}
}

// endedBy prefers the cause that the session ended for.
func endedBy(s *session, err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return err
}

// begin puts a session to use.
func (c *Client) begin(s *session) {
	c.mu.Lock()
	c.routes.forget()
	c.session, c.trouble = s, ""
	for _, row := range s.ours.Table(tableRoute).RowsShallow() {
		c.readRoute(s, row.(*staticRoute).UUID)
	}
	c.readAround(s)
	c.mu.Unlock()
	c.options.Connections(nil)
	c.options.Log.Info("Connected to the OVN Northbound database", "endpoint", s.routes.CurrentEndpoint())
}

// watchRouters monitors routers that are newly asked for, and lets networks that
// are new begin.
func (c *Client) watchRouters(s *session) error {
	c.mu.Lock()
	var networks []*Network
	for _, n := range c.watched {
		if !n.known {
			networks = append(networks, n)
		}
	}
	routers := c.unmonitored(s)
	c.mu.Unlock()
	if len(networks) > 0 {
		if err := c.findUnmarked(s); err != nil {
			return err
		}
	}
	if err := c.monitorRouters(s, routers); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range networks {
		if c.watched[n.name] == n {
			n.known, n.all = true, true
			clear(n.rows.changed)
			n.notify()
		}
	}
	return nil
}

// routeChanged brings what is known of a row up to date; rows are the row and
// what it was.
func (c *Client) routeChanged(s *session, rows ...libmodel.Model) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != s {
		return
	}
	var before []place
	for _, old := range rows[1:] {
		before = append(before, old.(*staticRoute).place())
	}
	c.readRoute(s, rows[0].(*staticRoute).UUID, before...)
}

// readRoute reads a row from the cache and reports whether it is there. The cache is
// never behind the event that reported a row, nor behind the answer to a transaction:
// the server sends what changed before it answers.
func (c *Client) readRoute(s *session, uuid string, before ...place) (found bool) {
	id, ok := parseRowID(uuid)
	if !ok {
		return false
	}
	row, found := s.ours.Table(tableRoute).Row(uuid).(*staticRoute)
	c.routes.put(id, row, before...)
	return found
}

// Connected reports whether there is a session with the database.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session != nil
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
	n.rows = c.rowsOf(network)
	n.rows.notify = notify
	c.want()
	return n
}

// rowsOf returns a network's rows; those that had no network find it.
func (c *Client) rowsOf(network string) *networkRoutes {
	rows, created := c.routes.network(network)
	if !created || c.session == nil {
		return rows
	}
	for id, port := range c.routes.unmatched {
		if port == rows.port {
			c.readRoute(c.session, formatRowID(id))
		}
	}
	return rows
}

// Has reports whether we have rows of a network, watched or not.
func (c *Client) Has(network string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.rowsOf(network).byPrefix) > 0
}
