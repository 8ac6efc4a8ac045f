package ovnnb

import (
	"fmt"

	"github.com/ovn-kubernetes/libovsdb/cache"
	libmodel "github.com/ovn-kubernetes/libovsdb/model"
	"github.com/ovn-kubernetes/libovsdb/ovsdb"
	"github.com/ovn-kubernetes/libovsdb/ovsdb/serverdb"
)

// serverDatabase is where a server describes the databases that it has
// (ovsdb-server(5), "_Server").
const serverDatabase = "_Server"

// connectLeader fails unless the server leads its cluster, or is none, and ends
// the session when that changes. libovsdb would do it, too, but a goroutine of
// its own then keeps the client, with all that it read, for ever.
func (c *Client) connectLeader(s *session, endpoint string) (err error) {
	s.server, err = c.dial(s, endpoint, serverDatabase, map[string]libmodel.Model{serverdb.DatabaseTable: &serverdb.Database{}})
	if err != nil {
		return err
	}
	where := ovsdb.NewCondition("name", ovsdb.ConditionEqual, Database)
	if err := c.monitorWithin(c.options.ConnectTimeout, s, s.server, serverdb.DatabaseTable, []string{"name", "model", "leader"}, where); err != nil {
		return err
	}
	databases := s.server.Cache()
	if databases == nil {
		return errLost
	}
	databases.AddEventHandler(&cache.EventHandlerFuncs{UpdateFunc: func(_ string, _, row libmodel.Model) {
		if follows(row) {
			s.end(errLost)
		}
	}})
	for _, row := range databases.Table(serverdb.DatabaseTable).RowsShallow() {
		if follows(row) {
			return fmt.Errorf("%s: %w", endpoint, errNotLeader)
		}
	}
	return nil
}

// follows reports whether the server has a copy of the database that its
// cluster's leader may be ahead of.
func follows(row libmodel.Model) bool {
	database, ok := row.(*serverdb.Database)
	return ok && database.Model == serverdb.DatabaseModelClustered && !database.Leader
}
