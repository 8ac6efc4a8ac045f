package ovnnb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ovn-kubernetes/libovsdb/cache"
	"github.com/ovn-kubernetes/libovsdb/client"
	libmodel "github.com/ovn-kubernetes/libovsdb/model"
	"github.com/ovn-kubernetes/libovsdb/ovsdb"
)

// perRow is how much longer an echo may take for each row of ours: while a server
// lists all of them for one client, it answers no other.
const perRow = 200 * time.Microsecond

// session is a connection to one server from its first monitor to its end.
// libovsdb's own reconnecting is not used: with several monitors each of them
// purges what those before it read, and a server that accepts a connection
// and then is silent is tried forever, though others would answer.
type session struct {
	// routes has our rows, router what else is looked at. They are two
	// because a libovsdb client keeps a table once: a row in two monitors of
	// one client breaks it.
	routes, router client.Client
	// server has what the server says of itself: whether it leads its cluster.
	server client.Client
	// ours and others are their caches, which the clients themselves forget
	// when the connection ends.
	ours, others *cache.TableCache
	ctx          context.Context
	end          context.CancelCauseFunc
	// routers are those monitored, by name.
	routers map[string]bool
	// matches is set where NAT can have a match.
	matches bool
	// version is that of the networks whose MAC-VRFs are watched.
	version int
}

// connect begins a session, which lasts until its context ends.
func (c *Client) connect(ctx context.Context, endpoint string) (*session, error) {
	s := &session{routers: map[string]bool{}}
	s.ctx, s.end = context.WithCancelCause(ctx)
	err := c.connectBoth(s, endpoint)
	if err != nil {
		s.end(err)
	}
	return s, err
}

func (c *Client) connectBoth(s *session, endpoint string) (err error) {
	if err := c.connectLeader(s, endpoint); err != nil {
		return err
	}
	s.routes, err = c.dial(s, endpoint, Database, map[string]libmodel.Model{tableRoute: &staticRoute{}})
	if err != nil {
		return err
	}
	tables := map[string]libmodel.Model{
		tableRouter: &logicalRouter{}, tableRoute: &othersRoute{}, tableGlobal: &global{},
		tableNAT: &natRow{}, tableAddressSet: &addressSet{},
	}
	schema := s.routes.Schema()
	if s.matches = schema.Table(tableNAT) != nil && schema.Table(tableNAT).Column("match") != nil; s.matches {
		tables[tableNAT] = &natMatchRow{}
	}
	if s.router, err = c.dial(s, endpoint, Database, tables); err != nil {
		return err
	}
	if s.ours, s.others = s.routes.Cache(), s.router.Cache(); s.ours == nil || s.others == nil {
		return errLost
	}
	return nil
}

// dial returns a client that ends with the session, and ends it.
func (c *Client) dial(s *session, endpoint, name string, tables map[string]libmodel.Model) (client.Client, error) {
	database, err := libmodel.NewClientDBModel(name, tables)
	if err != nil {
		return nil, err
	}
	var certificates *tls.Config
	if c.options.TLS != nil {
		if certificates, err = c.options.TLS(); err != nil {
			return nil, err
		}
	}
	log := c.options.Log.V(2).WithName("libovsdb")
	lib, err := client.NewOVSDBClient(database,
		client.WithEndpoint(endpoint), client.WithTLSConfig(certificates), client.WithLogger(&log))
	if err != nil {
		return nil, fmt.Errorf("%q is neither unix:PATH, tcp:HOST:PORT nor ssl:HOST:PORT: %w", endpoint, err)
	}
	ctx, cancel := context.WithTimeoutCause(s.ctx, c.options.ConnectTimeout, fmt.Errorf("the server did not answer within %s", c.options.ConnectTimeout))
	defer cancel()
	context.AfterFunc(s.ctx, lib.Close)
	if err := await(ctx, func() error { return lib.Connect(ctx) }); err != nil {
		return nil, fmt.Errorf("%s: %w", endpoint, err)
	}
	go func() {
		select {
		case <-lib.DisconnectNotify():
			s.end(errLost)
		case <-s.ctx.Done():
		}
	}()
	return lib, nil
}

// await does something that may not heed its context, such as writing to a
// server that does not read. It is left behind then, and ends when its
// connection does.
func await(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// keepAlive asks for echoes, so that a server that died without a word is
// noticed. patience is how long one may take.
func (s *session) keepAlive(silence time.Duration, patience func() time.Duration, libs ...client.Client) {
	timer := time.NewTicker(silence)
	defer timer.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-timer.C:
		}
		limit := patience()
		ctx, cancel := context.WithTimeoutCause(s.ctx, limit, fmt.Errorf("the server was silent for %s", limit))
		err := await(ctx, func() error {
			var all []error
			for _, lib := range libs {
				all = append(all, lib.Echo(ctx))
			}
			return errors.Join(all...)
		})
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = cause
		}
		cancel()
		if err != nil {
			s.end(err)
		}
	}
}

// monitor reads rows of a table into a client's cache, and keeps them there. A
// row is monitored if any of the conditions holds.
func (c *Client) monitor(s *session, lib client.Client, table string, columns []string, where ...ovsdb.Condition) error {
	return c.monitorWithin(c.options.LoadTimeout, s, lib, table, columns, where...)
}

func (c *Client) monitorWithin(limit time.Duration, s *session, lib client.Client, table string, columns []string, where ...ovsdb.Condition) error {
	m := lib.NewMonitor()
	// With monitor_cond_since libovsdb ignores rows that it can't apply.
	m.Method = ovsdb.ConditionalMonitorRPC
	m.Tables = []client.TableMonitor{{Table: table, Fields: columns, Conditions: where}}
	ctx, cancel := context.WithTimeoutCause(s.ctx, limit, errSlow)
	defer cancel()
	err := await(ctx, func() error {
		_, err := lib.Monitor(ctx, m)
		return err
	})
	if err != nil {
		return errorf("cannot watch %s: %w", table, err)
	}
	return nil
}

// load reads everything and stays informed.
func (c *Client) load(s *session) error {
	for part := range parts {
		ours := marks(markOwner, ownerAgent, markNode, c.options.Node, markPart, strconv.Itoa(part))
		if err := c.monitor(s, s.routes, tableRoute, routeColumns, ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, ours)); err != nil {
			return err
		}
	}
	if err := c.monitor(s, s.router, tableGlobal, []string{"options"}); err != nil {
		return err
	}
	if err := c.monitor(s, s.router, tableRoute, []string{"ip_prefix", "output_port", "policy"}, importedBy(), bySource()); err != nil {
		return err
	}
	if c.options.NAT {
		columns := []string{"type", "logical_ip", "logical_port", "allowed_ext_ips", "exempted_ext_ips", "external_ids"}
		if s.matches {
			columns = append(columns, "match")
		}
		if err := c.monitor(s, s.router, tableNAT, columns, ovsdb.NewCondition("type", ovsdb.ConditionEqual, snatKind)); err != nil {
			return err
		}
		if err := c.monitor(s, s.router, tableAddressSet, []string{"name", "addresses", "external_ids"},
			ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, marks("k8s.ovn.org/name", nodeAddressSet))); err != nil {
			return err
		}
	}
	// Events are handled only from here on, and what was there before is read
	// from the caches: libovsdb drops events when too many come at once.
	s.ours.AddEventHandler(&cache.EventHandlerFuncs{
		AddFunc:    func(_ string, row libmodel.Model) { c.routeChanged(s, row) },
		UpdateFunc: func(_ string, old, row libmodel.Model) { c.routeChanged(s, row, old) },
		DeleteFunc: func(_ string, old libmodel.Model) { c.routeChanged(s, old, old) },
	})
	s.others.AddEventHandler(&cache.EventHandlerFuncs{
		AddFunc:    func(table string, row libmodel.Model) { c.routerChanged(s, table, row) },
		UpdateFunc: func(table string, old, row libmodel.Model) { c.routerChanged(s, table, old, row) },
		DeleteFunc: func(table string, old libmodel.Model) { c.routerChanged(s, table, old) },
	})
	return nil
}

// findLost looks for rows of ours without the mark of a part, which no event reports:
// their marks were changed, or an older agent wrote them.
func (c *Client) findLost(s *session) error {
	where := []ovsdb.Condition{ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, marks(markOwner, ownerAgent, markNode, c.options.Node))}
	for part := range parts {
		where = append(where, ovsdb.NewCondition("external_ids", ovsdb.ConditionExcludes, marks(markPart, strconv.Itoa(part))))
	}
	var t transaction
	t.add(anyCount, ovsdb.Operation{Op: ovsdb.OperationSelect, Table: tableRoute, Where: where, Columns: []string{"_uuid"}})
	results, err := c.transact(s.ctx, s, &t)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.routes.lost)
	for _, row := range results[0].Rows {
		uuid, _ := row["_uuid"].(ovsdb.UUID)
		if id, ok := parseRowID(uuid.GoUUID); ok {
			c.routes.lost[id] = struct{}{}
		}
	}
	if len(c.routes.lost) > 0 {
		c.options.Strayed()
	}
	return nil
}

// transact sends a transaction and checks the result of each operation.
func (c *Client) transact(ctx context.Context, s *session, t *transaction) ([]ovsdb.OperationResult, error) {
	// A large transaction takes longer.
	limit := c.options.Timeout + time.Duration(len(t.operations))*perOperation
	bounded, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	stop := context.AfterFunc(s.ctx, cancel)
	defer stop()
	var results []ovsdb.OperationResult
	replied := make(chan []ovsdb.OperationResult, 1)
	err := await(bounded, func() error {
		results, err := s.routes.Transact(bounded, t.operations...)
		replied <- results
		return err
	})
	switch {
	case err == nil:
		results = <-replied
		return results, t.check(results)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case bounded.Err() != nil && s.ctx.Err() == nil:
		// Nobody knows what became of it. A new session starts from what is
		// really there.
		s.end(fmt.Errorf("a transaction had no answer: %w", context.Cause(bounded)))
	case s.ctx.Err() != nil:
		err = context.Cause(s.ctx)
	}
	return nil, errorf("%w", err)
}

var (
	errNotLeader = errors.New("this server is not the cluster's leader; list all servers of the cluster in --ovn-nb")
	errLost      = errors.New("the connection was lost, or the server no longer leads its cluster")
	errSlow      = errors.New("the server took too long")
)

func errorf(format string, args ...any) error { return fmt.Errorf("OVN Northbound: "+format, args...) }
