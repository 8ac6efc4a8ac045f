package agent

import (
	"fmt"
	"maps"
	"time"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/ovnnb"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// The reasons of a network's conditions.
//
//reference:reasons NodeRouteState Synced
const (
	// True: every route that belongs on the gateway router is there.
	// Do: nothing; "skipped" counts the routes that don't belong there.
	ReasonSynced = "Synced"
	// Unknown: there is no connection to the OVN Northbound database. What was
	// imported stays.
	// Do: fix the cause in the message: --ovn-nb, the socket's folder on the node,
	// certificates or ovsdb-server.
	ReasonDisconnected = "Disconnected"
	// False: the network's gateway router is not in the database.
	// Do: wait until OVN-Kubernetes has set the network up on the node; if it
	// already has, this agent reads another zone's database.
	ReasonNoGatewayRouter = "NoGatewayRouter"
	// False: OVN-Kubernetes' own route import writes to the router.
	// Do: switch one of the two off.
	ReasonRouteImport = "RouteImport"
	// False: rows of OVN-Kubernetes' route import are on the router, and for a
	// minute nothing has updated them to match the kernel. Either route import was
	// switched off, which leaves its rows, or it is stuck. The agent writes nothing
	// while they are there.
	// Do: switch route import off on the node, then remove the rows there with
	// agent cleanup --route-import.
	ReasonRouteImportLeft = "RouteImportLeft"
	// False: the router has OVN's dynamic-routing on, so OVN imports routes by
	// itself.
	// Do: switch one of the two off.
	ReasonDynamicRouting = "DynamicRouting"
	// False: the network's VRF device is not on the node.
	// Do: nothing if no pod of the network runs there. If nothing else creates the
	// device, start the agent with --manage-vrfs.
	ReasonVRFMissing = "VRFMissing"
	// Unknown: the link through which the gateway router leaves the node is not
	// known, or not on the node. Routes that leave the kernel are removed from OVN;
	// none is added.
	// Do: set --gateway-interface if nothing annotates nodes with
	// k8s.ovn.org/l3-gateway-config, or bring back the link that the message names.
	ReasonGatewayUnknown = "GatewayUnknown"
	// Unknown: the agent is reading the kernel's routes or the network's
	// configuration.
	// Do: wait a few seconds.
	ReasonListing = "Listing"
	// False: the database refused a transaction. What was imported stays.
	// Do: fix the error in the message; the agent tries again by itself.
	ReasonWriteFailed = "WriteFailed"
	// False: the agent can't work on the network. What was imported stays.
	// Do: change what the message names.
	ReasonInvalid = "Invalid"
	// False: more routes belong on the router than --max-routes-per-vrf allows.
	// Do: make the neighbors send fewer routes, or raise the flag.
	ReasonOverLimit = "OverLimit"
	// False: rows on the router equal rows that the agent writes, or once were the
	// agent's, but have no owner: something removed their external_ids. The agent
	// never changes them, so they stay when BGP withdraws the route.
	// Do: remove each with the command in the message; if a row is meant to be
	// there, give it external_ids of its own.
	ReasonUnmarkedRows = "UnmarkedRows"
	// False: the agent runs with --observe-only; the message says how many rows
	// it would change.
	// Do: start it without the flag if you want it to change them.
	ReasonObserveOnly = "ObserveOnly"
)

// NetworkState is what became of a network on this node.
type NetworkState struct {
	Network string
	// VRF is "" for the default network.
	VRF    string
	Table  uint32
	Router string
	// Learned routes are in the kernel, Imported ones on the router with Rows
	// rows.
	Learned, Imported, Rows int
	Skipped                 map[model.SkipReason]int
	// Held routes are kept out by Limit, which is of rows.
	Held  int
	Limit int
	// Uneven routes have next hops with weights, which OVN doesn't know.
	Uneven int
	// Reason is one of those above, with Message for people.
	Reason  string
	Message string
	// Changed is when the routes on the router last changed.
	Changed time.Time
}

// report records the network's state after a sync.
func (s *syncer) report(err error) {
	if s.changed != nil {
		defer s.changed()
	}
	learned, beyond, imported, table := 0, 0, s.rows.Count(), uint32(0)
	if s.table != nil {
		table = s.table.ID()
		learned, beyond = s.table.Len()
	}
	reason, message := s.verdict(err, beyond)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.snatMessage != "" {
		message += "; " + s.snatMessage
	}
	if s.problem != "" {
		reason, message = ReasonInvalid, s.problem+"; what was imported stays as it is"
	}
	st := &s.state
	if s.pace.ended.After(st.Changed) {
		st.Changed = s.pace.ended
	}
	st.Network, st.VRF, st.Table, st.Router = s.name, s.vrf, table, s.rows.Router()
	st.Learned, st.Imported, st.Reason, st.Message = learned, imported, reason, message
	st.Rows, st.Uneven = s.rows.RowCount(), s.skipped.Uneven()
	st.Skipped, st.Held, st.Limit = s.skipped.Counts(), s.skipped.OverLimitCount()+beyond, s.skipped.Limit
	if beyond > 0 {
		if st.Skipped == nil {
			st.Skipped = map[model.SkipReason]int{}
		}
		st.Skipped[model.SkipOverLimit] += beyond
	}
	s.figures.routes(*st)
}

// verdict says what the network's state is and what to do about it.
func (s *syncer) verdict(err error, beyond int) (reason, message string) {
	router, unmarked := s.rows.State(), s.rows.Unmarked()
	switch {
	case s.version == 0:
		return ReasonListing, "reading the network's configuration"
	case s.table == nil:
		return ReasonVRFMissing, "the VRF device " + s.vrf + " is not on this node, so there are no routes to import; it comes with the network's first use on the node"
	case !router.Known:
		return ReasonDisconnected, disconnected(router.Trouble)
	case !router.Present:
		return ReasonNoGatewayRouter, "the gateway router " + s.rows.Router() + " is not in the OVN Northbound database; routes are imported when it comes"
	case router.RouteImport && s.left.any():
		return ReasonRouteImportLeft, s.left.tell(s.rows.Router())
	case router.RouteImport:
		return ReasonRouteImport, "OVN-Kubernetes' own route import writes to " + s.rows.Router() + ", so this agent doesn't; switch one of them off. It leaves its rows when it is switched off: then remove them with agent cleanup --route-import on this node"
	case router.DynamicRouting:
		return ReasonDynamicRouting, s.rows.Router() + " has dynamic-routing on, so OVN imports routes by itself and this agent doesn't"
	case err != nil:
		return ReasonWriteFailed, err.Error()
	case s.gatewayUnknown():
		return ReasonGatewayUnknown, s.gatewayProblem() + ". Routes that leave the kernel are withdrawn from OVN, and none is added"
	case s.observed:
		return ReasonObserveOnly, fmt.Sprintf("nothing is written, because the agent only observes; it would change %d rows of %s", s.outstanding, s.rows.Router())
	case s.all:
		return ReasonListing, "the kernel's routes are being listed"
	case s.skipped.OverLimitCount()+beyond > 0:
		return ReasonOverLimit, fmt.Sprintf("%d routes are not imported: %s has %d of at most %d rows; make the neighbors send fewer routes, or raise --max-routes-per-vrf",
			s.skipped.OverLimitCount()+beyond, s.rows.Router(), s.rows.RowCount(), s.skipped.Limit)
	case len(unmarked) > 0:
		return ReasonUnmarkedRows, tellUnmarked(s.rows.Router(), unmarked)
	default:
		message = "every route that belongs on " + s.rows.Router() + " is there"
		if n := s.skipped.Uneven(); n > 0 {
			message += fmt.Sprintf("; %d of them have next hops with weights, which OVN's routes don't have: it uses all next hops alike", n)
		}
		return ReasonSynced, message
	}
}

func (s *syncer) gatewayProblem() string {
	if s.noGateway != "" {
		return s.noGateway
	}
	return "the link of the node's gateway is not known: set --gateway-interface, or wait until OVN-Kubernetes annotates the node with k8s.ovn.org/l3-gateway-config"
}

// tellUnmarked says how to remove exactly one row: only its UUID distinguishes it from
// ours.
func tellUnmarked(router string, rows []ovnnb.UnmarkedRow) string {
	first := rows[0]
	return fmt.Sprintf("%d rows of %s equal rows of this agent but have no owner, as if something had removed their external_ids, so they stay when the route is withdrawn; first %s via %s. "+
		"Remove it with: ovn-nbctl remove Logical_Router %s static_routes %s; or, if it is meant to be there, give it external_ids of its own. agent routes lists all",
		len(rows), router, first.Prefix, describeHop(first.NextHop), router, first.UUID())
}

func disconnected(cause string) string {
	message := "there is no connection to the OVN Northbound database"
	if cause != "" {
		message += " (" + cause + ")"
	}
	return message + "; what was imported stays as it is"
}

// snapshot is the state as it was last reported.
func (s *syncer) snapshot() NetworkState {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.state
	out.Skipped = maps.Clone(s.state.Skipped)
	return out
}
