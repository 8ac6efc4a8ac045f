package vswitch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ovn-kubernetes/libovsdb/cache"
	"github.com/ovn-kubernetes/libovsdb/client"
	libmodel "github.com/ovn-kubernetes/libovsdb/model"
	"github.com/ovn-kubernetes/libovsdb/ovsdb"
)

// The database and the tables that make up a port.
const (
	database       = "Open_vSwitch"
	tableBridge    = "Bridge"
	tablePort      = "Port"
	tableInterface = "Interface"
	// tableSystem has one row, of Open vSwitch itself.
	tableSystem = "Open_vSwitch"
)

var errLost = errors.New("the connection was lost")

// session is a connection. libovsdb's own reconnecting is not used: it hides that rows may
// have changed meanwhile.
type session struct {
	lib client.Client
	// cache is the client's, which forgets it when the connection ends.
	cache *cache.TableCache
	ctx   context.Context
	end   context.CancelCauseFunc
}

// connect begins a session with all internal interfaces read.
func (c *Client) connect(ctx context.Context) (*session, error) {
	s := &session{}
	s.ctx, s.end = context.WithCancelCause(ctx)
	err := c.dial(s)
	if err == nil {
		err = c.watch(s)
	}
	if err != nil {
		s.end(err)
		return nil, err
	}
	return s, nil
}

func (c *Client) dial(s *session) error {
	models, err := libmodel.NewClientDBModel(database, map[string]libmodel.Model{tableInterface: &row{}, tableSystem: &system{}})
	if err != nil {
		return err
	}
	log := c.options.Log.V(2).WithName("libovsdb")
	if s.lib, err = client.NewOVSDBClient(models, client.WithEndpoint(c.options.Endpoint), client.WithLogger(&log)); err != nil {
		return fmt.Errorf("%q is not unix:PATH: %w", c.options.Endpoint, err)
	}
	context.AfterFunc(s.ctx, s.lib.Close)
	if err := s.await(s.ctx, func(ctx context.Context) error { return s.lib.Connect(ctx) }); err != nil {
		return err
	}
	if s.cache = s.lib.Cache(); s.cache == nil {
		return errLost
	}
	go func() {
		select {
		case <-s.lib.DisconnectNotify():
			s.end(errLost)
		case <-s.ctx.Done():
		}
	}()
	return nil
}

func (c *Client) watch(s *session) error {
	m := s.lib.NewMonitor()
	// With monitor_cond_since libovsdb ignores rows that it can't apply.
	m.Method = ovsdb.ConditionalMonitorRPC
	m.Tables = []client.TableMonitor{{Table: tableInterface, Fields: columns, Conditions: []ovsdb.Condition{
		ovsdb.NewCondition("type", ovsdb.ConditionEqual, typeInternal),
	}}, {Table: tableSystem, Fields: []string{"external_ids"}}}
	err := s.await(s.ctx, func(ctx context.Context) error {
		_, err := s.lib.Monitor(ctx, m)
		return err
	})
	if err != nil {
		return fmt.Errorf("can't watch %s: %w", tableInterface, err)
	}
	s.cache.AddEventHandler(&cache.EventHandlerFuncs{
		AddFunc:    func(_ string, now libmodel.Model) { c.changed(now) },
		UpdateFunc: func(_ string, old, now libmodel.Model) { c.changed(old, now) },
		DeleteFunc: func(_ string, old libmodel.Model) { c.changed(old) },
	})
	return nil
}

func (c *Client) changed(rows ...libmodel.Model) {
	if slices.ContainsFunc(rows, relevant) && !unchanged(rows) {
		c.options.Changed()
	}
}

// relevant reports whether the row is one that this package tells of.
func relevant(found libmodel.Model) bool {
	iface, ok := found.(*row)
	return !ok || iface.relevant()
}

// unchanged reports whether the rows are Open vSwitch's own, before and after, with the same
// chassis: much else is written there.
func unchanged(rows []libmodel.Model) bool {
	if len(rows) != 2 {
		return false
	}
	before, ok := rows[0].(*system)
	return ok && before.ExternalIDs[systemID] == rows[1].(*system).ExternalIDs[systemID]
}

// keepAlive asks for echoes until the session ends, so that a server that hangs is
// noticed.
func (s *session) keepAlive() {
	timer := time.NewTicker(silence)
	defer timer.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-timer.C:
		}
		if err := s.await(s.ctx, s.lib.Echo); err != nil {
			s.end(err)
		}
	}
}

// await does something within timeout. libovsdb may not heed its context, as when it
// writes to a server that does not read; it is left behind then and ends with the
// connection.
func (s *session) await(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("ovsdb-server did not answer within %s", timeout))
	defer cancel()
	stop := context.AfterFunc(s.ctx, cancel)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil && s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	return err
}

// transact sends a transaction and checks the result of each operation.
func (s *session) transact(ctx context.Context, t *transaction) ([]ovsdb.OperationResult, error) {
	replied := make(chan []ovsdb.OperationResult, 1)
	err := s.await(ctx, func(ctx context.Context) error {
		results, err := s.lib.Transact(ctx, t.operations...)
		replied <- results
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			// Nobody knows what became of it. A new session starts from what is really there.
			s.end(fmt.Errorf("a transaction had no answer: %w", err))
		}
		return nil, err
	}
	results := <-replied
	return results, t.check(results)
}
