package ovnnb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ovn-kubernetes/libovsdb/cache"
	libmodel "github.com/ovn-kubernetes/libovsdb/model"
	"github.com/ovn-kubernetes/libovsdb/ovsdb"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

const (
	// betweenWrites is the least time between writes, so that there is no fight with
	// something that undoes them.
	betweenWrites = 500 * time.Millisecond
	// lookAgain finds what no event reported.
	lookAgain = time.Minute
)

// serve runs one session; connected is whether it was ever ready for use.
func (m *MACVRFs) serve(ctx context.Context, endpoint string) (connected bool, err error) {
	s, err := m.connect(ctx, endpoint)
	if err != nil {
		return false, err
	}
	defer s.end(errors.New("closed"))
	s.ours.AddEventHandler(&cache.EventHandlerFuncs{
		AddFunc:    func(string, libmodel.Model) { m.Poke() },
		UpdateFunc: func(string, libmodel.Model, libmodel.Model) { m.Poke() },
		DeleteFunc: func(string, libmodel.Model) { m.Poke() },
	})
	silence := m.client.options.Silence
	go s.keepAlive(silence, func() time.Duration { return 2 * silence }, s.routes)
	var written time.Time
	for {
		if _, version, _ := m.latest(); version != s.version {
			return true, errOtherNetworks
		}
		wait := lookAgain
		if rest := betweenWrites - time.Since(written); rest > 0 {
			m.publish(m.plan(s))
			wait = rest
		} else if n, err := m.pass(ctx, s); n > 0 || err != nil {
			written, wait = time.Now(), betweenWrites
			if err != nil && s.ctx.Err() == nil {
				m.client.options.Log.Info("Not all of OVN's rows of MAC-VRFs could be written; trying again", "cause", err.Error())
			}
		}
		select {
		case <-s.ctx.Done():
			return true, context.Cause(s.ctx)
		case <-m.wake:
		case <-time.After(wait):
		}
	}
}

// connect begins a session that has read all that there is of the wanted networks.
func (m *MACVRFs) connect(ctx context.Context, endpoint string) (*session, error) {
	c := m.client
	s := &session{}
	s.ctx, s.end = context.WithCancelCause(ctx)
	var wanted []MACVRF
	wanted, s.version, _ = m.latest()
	err := c.connectLeader(s, endpoint)
	if err == nil {
		s.routes, err = c.dial(s, endpoint, Database, map[string]libmodel.Model{
			tableSwitch: &switchRow{}, tableSwitchPort: &switchPortRow{}, tableACL: &aclRow{}, tablePortGroup: &portGroupRow{}, tableGlobal: &zoneRow{},
		})
	}
	if err == nil {
		if s.ours = s.routes.Cache(); s.ours == nil {
			err = errLost
		}
	}
	if err == nil {
		err = m.watch(s, wanted)
	}
	if err != nil {
		s.end(err)
		return nil, endedBy(s, err)
	}
	return s, nil
}

// watch reads the rows and stays informed. A condition that no row can meet keeps a table
// without networks from being read whole.
func (m *MACVRFs) watch(s *session, wanted []MACVRF) error {
	marked := ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, marks(markOwner, ownerAgent, markNode, m.client.options.Node))
	switches, groups, ports := named(""), named(""), []ovsdb.Condition{marked}
	for i := range wanted {
		network := wanted[i].Network
		switches = append(switches, named(ovnk.Layer2Switch(network))...)
		ports = append(append(ports, named(ovnk.MACVRFPort(network))...), ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, marks(idNetwork, network)))
		groups = append(groups, ovsdb.NewCondition("external_ids", ovsdb.ConditionIncludes, marks(idName, routerGroup, idOwner, controllerOf(network))))
	}
	for _, table := range []struct {
		name    string
		columns []string
		where   []ovsdb.Condition
	}{
		{tableSwitch, []string{"name", "other_config"}, switches},
		{tableSwitchPort, []string{"name", "type", "addresses", "enabled", "options", "external_ids"}, ports},
		{tableACL, []string{"direction", "priority", "match", "action", "external_ids"}, []ovsdb.Condition{marked}},
		{tablePortGroup, []string{"name", "ports", "external_ids"}, groups},
		{tableGlobal, []string{"name"}, nil},
	} {
		if err := m.client.monitor(s, s.routes, table.name, table.columns, table.where...); err != nil {
			return err
		}
	}
	return nil
}

// macVRFRows are what the session has read.
func (s *session) macVRFRows() *macVRFRows {
	out := newMACVRFRows()
	for _, row := range s.ours.Table(tableGlobal).RowsShallow() {
		out.zone = row.(*zoneRow).Name
	}
	for _, row := range s.ours.Table(tableSwitch).RowsShallow() {
		found := row.(*switchRow)
		// Two of the same name should not be; the choice must be steady.
		if other := out.switches[found.Name]; other == nil || found.UUID < other.UUID {
			out.switches[found.Name] = found
		}
	}
	for _, row := range s.ours.Table(tableSwitchPort).RowsShallow() {
		out.addPort(row.(*switchPortRow))
	}
	for _, row := range s.ours.Table(tableACL).RowsShallow() {
		acl := row.(*aclRow)
		out.acls[acl.ExternalIDs[markNetwork]] = append(out.acls[acl.ExternalIDs[markNetwork]], acl)
	}
	for _, row := range s.ours.Table(tablePortGroup).RowsShallow() {
		group := row.(*portGroupRow)
		out.groups[group.ExternalIDs[idOwner]] = group
	}
	return out
}

func (m *MACVRFs) plan(s *session) *macVRFPlan {
	wanted, _, _ := m.latest()
	chassis := map[string]bool{}
	if name := m.chassis(); name != "" {
		chassis[name], chassis[m.client.options.Node] = true, true
	}
	return planMACVRFs(wanted, s.macVRFRows(), m.client.options.Node, chassis)
}

// pass tells of what there is, and makes the changes. One network's failure stops no other.
func (m *MACVRFs) pass(ctx context.Context, s *session) (transactions int, err error) {
	p := m.plan(s)
	// Hosts are waited for, and writes may take a while.
	m.publish(p)
	failed := map[string]string{}
	var problems []error
	for _, network := range sortedKeys(p.transactions) {
		transactions++
		if _, err := m.client.transact(ctx, s, p.transactions[network]); err != nil {
			problems = append(problems, fmt.Errorf("network %s: %w", network, err))
			failed[network] = err.Error()
			continue
		}
		m.client.options.Log.Info("Changed OVN's rows of a MAC-VRF", "network", network)
	}
	m.failed = failed
	m.publish(p)
	return transactions, errors.Join(problems...)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
