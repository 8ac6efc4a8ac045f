// Package verdict has the controllers that write the status of each RouteAdvertisements
// object, and of each RoutePolicy.
//
// They write a status only if it differs from the stored one, and not more often than their
// pace allows, so that a change of thousands of nodes costs a few writes. They must never
// change what is advertised.
package verdict
